import { createHash } from 'node:crypto';
import type { Switches } from '../switches.ts';
import type { EventContent } from './event-record.ts';
import { object, optional, text } from './field-readers.ts';

/**
 * Applies `conferenceData` of a request with conferenceDataVersion=1 (facts §2, check 46). A
 * createRequest makes a Meet link, once per requestId; null removes the conference.
 * @throws ApiError invalid
 */
export function applyConference(
  content: EventContent,
  value: unknown,
  now: number,
  switches: Switches,
): void {
  if (value === null) {
    delete content.conferenceData;
    return;
  }
  const asked = object(value, 'conferenceData');
  const createRequest = optional(asked, 'createRequest', object, 'conferenceData');
  if (createRequest === undefined) {
    content.conferenceData = asked;
    return;
  }
  const requestId = text(createRequest.requestId, 'conferenceData.createRequest.requestId');
  const present = content.conferenceData?.createRequest as { requestId?: string } | undefined;
  if (present?.requestId === requestId) return;
  content.conferenceData = {
    createRequest: {
      requestId,
      conferenceSolutionKey: createRequest.conferenceSolutionKey ?? { type: 'hangoutsMeet' },
    },
    link: meetLink(`${requestId} ${now}`),
    readyAtMs: switches.meetLink === 'pending' ? now + switches.meetLinkDelayMs : now,
  };
}

/** `https://meet.google.com/abc-defg-hij`. */
function meetLink(seed: string): string {
  const letters = [...createHash('sha256').update(seed).digest().subarray(0, 10)]
    .map((byte) => String.fromCharCode(97 + (byte % 26)))
    .join('');
  return `https://meet.google.com/${letters.slice(0, 3)}-${letters.slice(3, 7)}-${letters.slice(7)}`;
}
