import type { Answer, TestApp } from './test-app.ts';

const halfHourMs = 30 * 60_000;
let slots = 0;

/** A start that no other call of this process was given: `date` and `time`, in 2027. */
export function freeSlot(): { date: string; time: string } {
  const start = new Date(Date.UTC(2027, 5, 1) + slots++ * 2 * halfHourMs).toISOString();
  return { date: start.slice(0, 10), time: start.slice(11, 16) };
}

/** A booking that would succeed, with changes. */
export function bookingOf(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { customerName: 'Alan Turing', email: 'alan@example.org', ...freeSlot(), ...changes };
}

export function book(
  server: TestApp,
  botId: string,
  body: unknown,
  key?: string | null,
): Promise<Answer> {
  return server.call('POST', `/api/calendar/create-event/${botId}`, body, key);
}
