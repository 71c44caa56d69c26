import { type Bot, type CreateEvent, createEventFields, type ErrorCode } from '@calhook/contract';
import { ApiError } from '../api-error.ts';
import { describeTime, instantOf, isWithinWeeklyHours } from '../availability/local-time.ts';
import { timeZoneName } from '../availability/time-zones.ts';

/** A booking as the visitor wants it: checked, normalised, placed in time. */
export interface BookingRequest {
  readonly customerName: string;
  readonly email: string;
  readonly phone: string | null;
  readonly date: string;
  /** HH:mm */
  readonly time: string;
  readonly timeZone: string;
  /** Epoch milliseconds. */
  readonly startsAt: number;
  /** Epoch milliseconds, exclusive. */
  readonly endsAt: number;
  readonly notes: string | null;
  readonly answers: Readonly<Record<string, string>>;
}

// Deliberately plain: one @, a dotted domain, no spaces, controls or invisible signs. Whether the
// mailbox exists only a message can tell; what must not pass is what breaks a header or that Google
// refuses.
const emailPattern =
  /^[^\s@<>(),;:"\\[\]\p{C}]+@[^\s@<>(),;:"\\[\]\p{C}.]+(?:\.[^\s@<>(),;:"\\[\]\p{C}.]+)+$/u;
const controls = /\p{Cc}+/gu;
const controlsButNewline = /[^\P{Cc}\n]+/gu;

/** One line of text: control characters and runs of space become one space. */
function singleLine(text: string): string {
  return text.toWellFormed().replace(controls, ' ').replace(/\s+/g, ' ').trim();
}

function multiLine(text: string): string {
  return text.toWellFormed().replace(/\r\n?/g, '\n').replace(controlsButNewline, ' ').trim();
}

function invalid(reason: string, field: string): ApiError {
  return new ApiError('invalid_request', {
    values: { reason },
    members: { errors: [{ field, message: reason }] },
  });
}

/**
 * Reads a booking request in the light of its bot.
 *
 * @throws {ApiError} with the code of the first fault
 */
export function readBookingRequest(body: CreateEvent, bot: Bot): BookingRequest {
  const customerName = singleLine(body.customerName ?? body.fullName ?? '');
  if (customerName === '') throw invalid('customerName (or fullName) is missing', 'customerName');
  // Spaces at the ends are slips of a keyboard; line breaks there are not.
  const email = body.email.replace(/^ +| +$/g, '');
  if (!emailPattern.test(email)) throw new ApiError('invalid_email');
  const wantedZone = body.timeZone ?? bot.timeZone;
  const timeZone = timeZoneName(wantedZone);
  if (timeZone === null) {
    throw new ApiError('invalid_timezone', { values: { timeZone: wantedZone } });
  }
  const { date, time, offset, weekday } = body;
  const startsAt = instantOf({ date, time, timeZone, offset, weekday });
  if (typeof startsAt !== 'number') {
    const actual = 'actual' in startsAt ? startsAt.actual : '';
    throw new ApiError(startsAt.code, {
      values: { date, time, timeZone, offset: offset ?? '', weekday: weekday ?? '', actual },
    });
  }
  return {
    customerName,
    // Local parts are case-sensitive by RFC 5321 and by no mailbox in use; one customer is one key.
    email: email.toLowerCase(),
    phone: body.phone === undefined ? null : singleLine(body.phone) || null,
    date,
    time: time.slice(0, 5),
    timeZone,
    startsAt,
    endsAt: startsAt + (body.durationMinutes ?? bot.durationMinutes) * 60_000,
    notes: body.notes === undefined ? null : multiLine(body.notes) || null,
    answers: Object.fromEntries(
      Object.entries(body.answers ?? {}).map(([name, value]) => [
        singleLine(name),
        multiLine(value),
      ]),
    ),
  };
}

/**
 * Why this time cannot be booked by the bot's rules; null when it can.
 *
 * @param now epoch milliseconds
 */
export function refusalByRules(request: BookingRequest, bot: Bot, now: number): ApiError | null {
  const { startsAt, endsAt, date, time, timeZone } = request;
  const refuse = (code: ErrorCode) =>
    new ApiError(code, { values: { date, time, when: describeTime(startsAt, timeZone) } });
  if (startsAt <= now) return refuse('time_in_past');
  const hours = bot.weeklyHours;
  if (hours && !isWithinWeeklyHours(hours, bot.timeZone, startsAt, endsAt)) {
    return refuse('outside_hours');
  }
  return null;
}

/**
 * Turns the free form of a website into a create-event body: fields with a meaning keep it, all
 * others become `answers`. Numbers and truth values are taken as their text.
 *
 * @throws {ApiError} `invalid_request` naming a field that is not plain text
 */
export function fromFormData(formData: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  const answers: Record<string, string> = {};
  for (const [field, value] of Object.entries(formData)) {
    if (value === null || value === undefined || value === '') continue;
    if (field === 'answers' && typeof value === 'object') {
      Object.assign(answers, value);
    } else if (field === 'durationMinutes') {
      body[field] = typeof value === 'string' ? Number(value) : value;
    } else if (typeof value === 'object') {
      throw invalid(`formData.${field} must be text`, `formData.${field}`);
    } else if ((createEventFields as readonly string[]).includes(field)) {
      body[field] = String(value);
    } else {
      answers[field] = String(value);
    }
  }
  return Object.keys(answers).length > 0 ? { ...body, answers } : body;
}
