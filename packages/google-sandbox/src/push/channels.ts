import { createHash } from 'node:crypto';
import type { Calendar } from '../calendar/event-record.ts';
import type { Clock } from '../clock.ts';
import type { Grant } from '../oauth/grants.ts';
import type { Switches } from '../switches.ts';
import { createPostman, type Postman } from './postman.ts';

/** A subscription to the changes of one calendar (facts §3). */
export type Channel = {
  id: string;
  projectId: string;
  clientId: string;
  grant: Grant;
  calendarId: string;
  resourceId: string;
  resourceUri: string;
  address: string;
  token: string | undefined;
  /** Epoch ms. */
  expiration: number;
  messageNumber: number;
};

export type Channels = {
  /** Opens a channel and sends it the sync message. False when the project has one of that id. */
  open(channel: Omit<Channel, 'messageNumber'>): boolean;
  /** Closes a channel of this user and client. False when there is none. */
  stop(id: string, resourceId: string, grant: Pick<Grant, 'sub'>, clientId: string): boolean;
  /** Tells every channel of a calendar that something changed. */
  calendarChanged(calendar: Calendar): void;
  /** The open channels. */
  list(): Channel[];
  /** Resolves when no message is on its way; retries that wait for the clock do not count. */
  idle(): Promise<void>;
  close(): void;
};

export function createChannels(clock: Clock, switches: Switches): Channels {
  const channels = new Map<string, Channel>();
  const postman: Postman = createPostman(clock);
  const keyOf = ({ projectId, id }: Pick<Channel, 'projectId' | 'id'>) => `${projectId} ${id}`;

  function isOpen(channel: Channel): boolean {
    const dead = channel.grant.revokedAt !== undefined && !switches.pushOutlivesGrant;
    return channels.get(keyOf(channel)) === channel && clock.now() < channel.expiration && !dead;
  }

  function send(channel: Channel, state: 'sync' | 'exists'): void {
    // Numbers grow, but not one by one.
    channel.messageNumber += state === 'sync' ? 1 : 1 + Math.floor(Math.random() * 3);
    if (state === 'exists' && Math.random() < switches.pushDropRate) return;
    const headers: Record<string, string> = {
      'X-Goog-Channel-ID': channel.id,
      'X-Goog-Message-Number': String(channel.messageNumber),
      'X-Goog-Resource-ID': channel.resourceId,
      'X-Goog-Resource-State': state,
      'X-Goog-Resource-URI': channel.resourceUri,
      'X-Goog-Channel-Expiration': new Date(channel.expiration).toUTCString(),
    };
    if (channel.token !== undefined) headers['X-Goog-Channel-Token'] = channel.token;
    postman.send(channel.address, headers, () => isOpen(channel));
  }

  return {
    open(details) {
      const present = channels.get(keyOf(details));
      if (present !== undefined && clock.now() < present.expiration) return false;
      const channel: Channel = { ...details, messageNumber: 0 };
      channels.set(keyOf(details), channel);
      send(channel, 'sync');
      return true;
    },
    stop(id, resourceId, grant, clientId) {
      const channel = [...channels.values()].find(
        (open) =>
          open.id === id &&
          open.resourceId === resourceId &&
          open.grant.sub === grant.sub &&
          open.clientId === clientId,
      );
      return channel !== undefined && channels.delete(keyOf(channel));
    },
    calendarChanged(calendar) {
      if (channels.size === 0) return;
      for (const channel of channels.values()) {
        if (channel.calendarId !== calendar.id) continue;
        if (clock.now() >= channel.expiration) channels.delete(keyOf(channel));
        else if (isOpen(channel)) send(channel, 'exists');
      }
    },
    list: () => [...channels.values()].filter(isOpen),
    idle: postman.idle,
    close: postman.close,
  };
}

/** The opaque id of a watched resource: the same for every channel on it. */
export function resourceIdOf(calendarId: string): string {
  return createHash('sha256').update(`events ${calendarId}`).digest('base64url').slice(0, 27);
}
