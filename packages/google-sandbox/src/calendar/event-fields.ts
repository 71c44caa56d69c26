import { ApiError } from './errors.ts';
import type {
  Attendee,
  EventContent,
  ExtendedProperties,
  Reminder,
  Reminders,
} from './event-record.ts';
import {
  bool,
  integer,
  invalidField,
  list,
  object,
  oneOf,
  optional,
  type Reader,
  text,
} from './field-readers.ts';

/** Longest key and value of an extended property (facts §2, check 47). */
const PROPERTY_KEY_LIMIT = 44;
const PROPERTY_VALUE_LIMIT = 1024;
const REMINDER_LIMIT = 5;
const LONGEST_REMINDER_MINUTES = 40_320;

/** conferenceData has rules of its own: conference.ts. */
type WrittenField = Exclude<keyof EventContent, 'conferenceData'>;

/**
 * What each writable field takes; the value read is stored only where it differs from the field's
 * default, as Google leaves defaults out of its answers.
 */
const FIELDS: { [Name in WrittenField]-?: Reader<EventContent[Name] | undefined> } = {
  summary: text,
  description: text,
  location: text,
  colorId: (value, path) => {
    if (!/^([1-9]|1[01])$/.test(text(value, path))) throw invalidField(path);
    return text(value, path);
  },
  transparency: (value, path) =>
    withoutDefault(oneOf('opaque', 'transparent')(value, path), 'opaque'),
  visibility: (value, path) =>
    withoutDefault(oneOf('default', 'public', 'private', 'confidential')(value, path), 'default'),
  recurrence: (value, path) => {
    const lines = list(text)(value, path);
    return lines.length === 0 ? undefined : lines;
  },
  attendees: (value, path) => {
    const attendees = list(readAttendee)(value, path);
    if (attendees.length === 1) return attendees;
    const byEmail = new Map(attendees.map((attendee) => [attendee.email.toLowerCase(), attendee]));
    return byEmail.size === 0 ? undefined : [...byEmail.values()];
  },
  extendedProperties: (value, path) => readProperties(object(value, path), path),
  anyoneCanAddSelf: (value, path) => (bool(value, path) ? true : undefined),
  guestsCanInviteOthers: (value, path) => (bool(value, path) ? undefined : false),
  guestsCanModify: (value, path) => (bool(value, path) ? true : undefined),
  guestsCanSeeOtherGuests: (value, path) => (bool(value, path) ? undefined : false),
  source: (value, path) => {
    const from = object(value, path);
    const url = optional(from, 'url', text, path);
    const title = optional(from, 'title', text, path);
    if (url === undefined || !/^https?:\/\//i.test(url)) throw invalidField(`${path}.url`);
    return title === undefined ? { url } : { title, url };
  },
  attachments: (value, path) => {
    const attachments = list(object)(value, path);
    for (const attachment of attachments) text(attachment.fileUrl, `${path}.fileUrl`);
    return attachments.length === 0 ? undefined : attachments;
  },
  workingLocationProperties: object,
  outOfOfficeProperties: object,
  focusTimeProperties: object,
  birthdayProperties: object,
};

const CONTENT_FIELDS: ReadonlySet<string> = new Set(Object.keys(FIELDS));

function withoutDefault<Name extends string, const Default extends Name>(
  name: Name,
  usual: Default,
): Exclude<Name, Default> | undefined {
  return name === usual ? undefined : (name as Exclude<Name, Default>);
}

/**
 * Changes `content` by what the body names; null deletes. Objects of properties merge, arrays are
 * replaced whole (checks 42, 53).
 * @throws ApiError invalid
 */
export function applyContent(content: EventContent, body: Record<string, unknown>): EventContent {
  const changed: Record<string, unknown> = { ...content };
  for (const given in body) {
    if (!CONTENT_FIELDS.has(given)) continue;
    const name = given as WrittenField;
    const value = body[name];
    const read = value === null ? undefined : FIELDS[name](value, name);
    const next =
      name === 'extendedProperties'
        ? mergeProperties(content.extendedProperties, value, read as ExtendedProperties | undefined)
        : read;
    if (next === undefined) delete changed[name];
    else changed[name] = next;
  }
  return changed as EventContent;
}

function readAttendee(value: unknown, path: string): Attendee {
  const from = object(value, path);
  const email = optional(from, 'email', text, path)?.trim();
  if (email === undefined || !isEmail(email)) {
    throw new ApiError('invalid', { message: 'Invalid attendee email.' });
  }
  const attendee: Attendee = {
    email,
    responseStatus:
      optional(
        from,
        'responseStatus',
        oneOf('needsAction', 'declined', 'tentative', 'accepted'),
        path,
      ) ?? 'needsAction',
  };
  const displayName = optional(from, 'displayName', text, path);
  if (displayName !== undefined) attendee.displayName = displayName;
  if (optional(from, 'optional', bool, path)) attendee.optional = true;
  if (optional(from, 'resource', bool, path)) attendee.resource = true;
  const comment = optional(from, 'comment', text, path);
  if (comment !== undefined) attendee.comment = comment;
  const additionalGuests = optional(from, 'additionalGuests', integer(0, 1000), path);
  if (additionalGuests) attendee.additionalGuests = additionalGuests;
  return attendee;
}

/** Close to RFC 5322 addr-spec without quoted parts; no control characters, no line breaks. */
function isEmail(value: string): boolean {
  return /^[^\s@"(),:;<>[\\\]\p{Cc}]{1,64}@[^\s@"(),:;<>[\\\]\p{Cc}.]+(\.[^\s@"(),:;<>[\\\]\p{Cc}.]+)+$/u.test(
    value,
  );
}

/** Keys that are too long vanish, values that are too long are cut: both silently (check 47). */
function readProperties(from: Record<string, unknown>, path: string): ExtendedProperties {
  const read: ExtendedProperties = {};
  for (const scope of ['private', 'shared'] as const) {
    const given = optional(from, scope, object, path);
    if (given === undefined) continue;
    const kept: Record<string, string> = {};
    for (const key in given) {
      const value = given[key];
      if (key.length > PROPERTY_KEY_LIMIT || value === null || key === '__proto__') continue;
      if (typeof value !== 'string') throw invalidField(`${path}.${scope}.${key}`);
      kept[key] = value.slice(0, PROPERTY_VALUE_LIMIT);
    }
    read[scope] = kept;
  }
  return read;
}

function withoutEmpty(properties: ExtendedProperties): ExtendedProperties | undefined {
  const isEmpty = (values: object | undefined) => {
    for (const _key in values) return false;
    return true;
  };
  if (isEmpty(properties.private)) delete properties.private;
  if (isEmpty(properties.shared)) delete properties.shared;
  return isEmpty(properties) ? undefined : properties;
}

function mergeProperties(
  before: ExtendedProperties | undefined,
  raw: unknown,
  read: ExtendedProperties | undefined,
): ExtendedProperties | undefined {
  if (read === undefined) return undefined;
  if (before === undefined) return withoutEmpty(read);
  const merged: ExtendedProperties = {};
  for (const scope of ['private', 'shared'] as const) {
    const rawScope = (raw as Record<string, unknown>)[scope];
    if (rawScope === null) continue;
    const deleted = new Set(
      Object.entries((rawScope ?? {}) as Record<string, unknown>)
        .filter(([, value]) => value === null)
        .map(([key]) => key),
    );
    const entries = Object.entries({ ...before?.[scope], ...read[scope] }).filter(
      ([key]) => !deleted.has(key),
    );
    if (entries.length > 0) merged[scope] = Object.fromEntries(entries);
  }
  return Object.keys(merged).length === 0 ? undefined : merged;
}

/** Reads `reminders` (facts §2, check 43). @throws ApiError invalid, bothDefaultAndOverrides */
export function readReminders(value: unknown): Reminders {
  const from = object(value, 'reminders');
  const overrides = optional(from, 'overrides', list(readReminder), 'reminders');
  const useDefault = optional(from, 'useDefault', bool, 'reminders') ?? false;
  if (useDefault && overrides !== undefined && overrides.length > 0) {
    throw new ApiError('bothDefaultAndOverrides');
  }
  if (useDefault) return { useDefault };
  if (overrides === undefined || overrides.length === 0) return { useDefault };
  if (overrides.length > REMINDER_LIMIT) {
    throw new ApiError('invalid', {
      message: `Too many reminders: at most ${REMINDER_LIMIT} are allowed.`,
    });
  }
  return { useDefault, overrides };
}

function readReminder(value: unknown, path: string): Reminder {
  const from = object(value, path);
  return {
    method: oneOf('email', 'popup')(from.method, `${path}.method`),
    minutes: integer(0, LONGEST_REMINDER_MINUTES)(from.minutes, `${path}.minutes`),
  };
}
