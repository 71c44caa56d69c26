import { ApiError } from './calendar/errors.ts';
import type { Clock } from './clock.ts';
import type { Switches } from './switches.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Google's quotas (facts §4): sliding windows of requests, and a budget of invitations. */
export type Limits = {
  /** Counts one API request. @throws ApiError userRateLimitExceeded, rateLimitExceeded */
  countRequest(projectId: string, email: string): void;
  /** Counts invitations to outside guests. @throws ApiError quotaExceeded, and counts nothing then */
  countInvitations(email: string, count: number): void;
};

/** Times of the last uses of something, oldest first. */
type Window = { times: number[]; head: number };

export function createLimits(clock: Clock, switches: Switches): Limits {
  const windows = new Map<string, Window>();

  function fits(key: string, limit: number, lengthMs: number, count: number): Window | undefined {
    let window = windows.get(key);
    if (window === undefined) {
      window = { times: [], head: 0 };
      windows.set(key, window);
    }
    const oldest = clock.now() - lengthMs;
    while (window.head < window.times.length && (window.times[window.head] as number) <= oldest) {
      window.head += 1;
    }
    if (window.head > 1024 && window.head * 2 > window.times.length) {
      window.times.splice(0, window.head);
      window.head = 0;
    }
    return window.times.length - window.head + count <= limit ? window : undefined;
  }

  function rateLimited(perUser: boolean): ApiError {
    if (switches.rateLimitStatus === 429) return new ApiError('rateLimitExceeded429');
    return new ApiError(perUser ? 'userRateLimitExceeded403' : 'rateLimitExceeded403');
  }

  return {
    countRequest(projectId, email) {
      const { requestsPerMinutePerUser: perUser, requestsPerMinutePerProject: perProject } =
        switches;
      if (perUser === 0 && perProject === 0) return;
      const used: Window[] = [];
      if (perUser > 0) {
        const window = fits(`user ${projectId} ${email}`, perUser, MINUTE_MS, 1);
        if (window === undefined) throw rateLimited(true);
        used.push(window);
      }
      if (perProject > 0) {
        const window = fits(`project ${projectId}`, perProject, MINUTE_MS, 1);
        if (window === undefined) throw rateLimited(false);
        used.push(window);
      }
      const now = clock.now();
      for (const window of used) window.times.push(now);
    },
    countInvitations(email, count) {
      const limit = switches.externalInvitesPerDay;
      if (limit === 0 || count === 0) return;
      const window = fits(`invitations ${email}`, limit, DAY_MS, count);
      if (window === undefined) throw new ApiError('quotaExceeded');
      for (let index = 0; index < count; index += 1) window.times.push(clock.now());
    },
  };
}
