import { type Bot, type CreateEvent, createEventFields } from '@calhook/contract';
import { ApiError } from '../api-error.ts';
import { instantOf, type LocalTime, languageTag } from '../availability/local-time.ts';
import { timeZoneName } from '../availability/time-zones.ts';

/** A start and an end as they were asked for, placed in time. */
export interface WantedTime {
  readonly date: string;
  /** HH:mm */
  readonly time: string;
  readonly timeZone: string;
  /** Epoch milliseconds. */
  readonly startsAt: number;
  /** Epoch milliseconds, exclusive. */
  readonly endsAt: number;
  readonly durationMinutes: number;
  /** BCP 47 language in which to speak of it. */
  readonly language: string;
}

/** A booking as the visitor wants it: checked, normalised, placed in time. */
export interface BookingRequest extends WantedTime {
  readonly customerName: string;
  readonly email: string;
  readonly phone: string | null;
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

/** Date and time as a request names them; the zone may be the bot's. */
type WallClock = Omit<LocalTime, 'timeZone'> & {
  readonly timeZone?: string;
  readonly durationMinutes?: number;
};

/**
 * Places a wall-clock time in the zone that it is meant in.
 *
 * @param fallback zone, length (minutes) and language of what does not name its own
 * @throws {ApiError} with the code of the first fault
 */
export function readWantedTime(
  body: WallClock,
  fallback: Pick<WantedTime, 'timeZone' | 'durationMinutes' | 'language'>,
): WantedTime {
  const wantedZone = body.timeZone ?? fallback.timeZone;
  const timeZone = timeZoneName(wantedZone);
  if (timeZone === null) {
    throw new ApiError('invalid_timezone', { values: { timeZone: wantedZone } });
  }
  const { date, time, offset, weekday, durationMinutes = fallback.durationMinutes } = body;
  const startsAt = instantOf({ date, time, timeZone, offset, weekday });
  if (typeof startsAt !== 'number') {
    const actual = 'actual' in startsAt ? startsAt.actual : '';
    throw new ApiError(startsAt.code, {
      values: { date, time, timeZone, offset: offset ?? '', weekday: weekday ?? '', actual },
    });
  }
  const endsAt = startsAt + durationMinutes * 60_000;
  const { language } = fallback;
  return { date, time: time.slice(0, 5), timeZone, startsAt, endsAt, durationMinutes, language };
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
  return {
    ...readWantedTime(body, bot),
    customerName,
    // Local parts are case-sensitive by RFC 5321 and by no mailbox in use; one customer is one key.
    email: email.toLowerCase(),
    phone: body.phone === undefined ? null : singleLine(body.phone) || null,
    // What a browser or a chat says of its visitor may be anything; the bot's language will do then.
    language: (body.language && languageTag(body.language)) || bot.language,
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
