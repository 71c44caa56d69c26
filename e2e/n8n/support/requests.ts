import { type ErrorCode, errorCatalogue } from '@calhook/contract';
import { expect } from 'vitest';
import { bookingOf } from '../../../apps/server/test/support/bookings.ts';
import type { TestApp } from '../../../apps/server/test/support/test-app.ts';

/** The form of a website: names as websites have them. */
export function form(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const { customerName, ...rest } = bookingOf();
  return { fullName: customerName, ...rest, ...changes };
}

/** What a website posts to a booking workflow. */
export const request = (botId: unknown, changes: Record<string, unknown> = {}) => ({
  botId,
  type: 'appointment',
  formData: form(changes),
});

/** A refusal in the words of Calhook, which a chatbot reads out. */
export function refusal(status: number, code: ErrorCode) {
  const { sentence } = errorCatalogue[code];
  const detail: unknown = sentence.includes('{') ? expect.any(String) : sentence;
  return { status, body: { success: false, code, status, detail } };
}

/** A refusal as Calhook answers it, with its title. */
export function titledRefusal(status: number, code: ErrorCode) {
  const { body } = refusal(status, code);
  return { status, body: { ...body, title: errorCatalogue[code].title } };
}

/** The events of an account in the sandbox of a Calhook. */
export const eventIdsOf = (calhook: TestApp, account: string) =>
  calhook.sandbox.events(account).map(({ id }) => id);
