import Type, { type Static } from 'typebox';
import { durationMinutes } from './appointments.ts';
import { DateTime, nullable, strictObject } from './common.ts';

const instantOrDate = (description: string) =>
  Type.String({
    maxLength: 40,
    description,
    examples: ['2026-12-01', '2026-12-01T09:00:00+01:00'],
  });

/** Query of `GET /api/calendar/slots/{botId}`. */
export const SlotsQuery = strictObject({
  from: Type.Optional(instantOrDate('First date, or RFC 3339 date-time, to offer; default: now.')),
  to: Type.Optional(
    instantOrDate(
      'Last date (the whole of it), or RFC 3339 date-time before which slots start; default: 7 days after `from`. At most 92 days after it.',
    ),
  ),
  timeZone: Type.Optional(
    Type.String({
      maxLength: 64,
      description: 'IANA zone of dates in the query and of the answer; default: the bot’s.',
    }),
  ),
  durationMinutes: Type.Optional(durationMinutes('the bot’s')),
  language: Type.Optional(
    Type.String({ maxLength: 35, description: 'BCP 47 language of `label`; default: the bot’s.' }),
  ),
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 10_000, description: 'Most slots to answer.' }),
  ),
  explain: Type.Optional(
    Type.Boolean({ description: 'Also says of each start that is not offered why it is not.' }),
  ),
});
export type SlotsQuery = Static<typeof SlotsQuery>;

/** One start that may be booked. */
export const Slot = Type.Object(
  {
    start: DateTime,
    end: DateTime,
    date: Type.String({ description: 'YYYY-MM-DD in `timeZone`.' }),
    time: Type.String({ description: 'HH:mm in `timeZone`.' }),
    label: Type.String({ description: 'The start as a sentence that a chatbot may read out.' }),
  },
  { $id: 'Slot' },
);
export type Slot = Static<typeof Slot>;

/** Why a start is not offered. */
export const unavailableReasons = [
  'busy',
  'buffer',
  'claim',
  'notice',
  'horizon',
  'limit',
  'outside_hours',
  'dst',
  'calendar_unreachable',
] as const;

const UnavailableStart = Type.Object({
  start: nullable(DateTime),
  date: Type.String(),
  time: Type.String(),
  reason: Type.Enum(unavailableReasons),
});
export type UnavailableStart = Static<typeof UnavailableStart>;

/** Answer of `GET /api/calendar/slots/{botId}`. */
export const Slots = Type.Object(
  {
    timeZone: Type.String(),
    slots: Type.Array(Slot),
    source: Type.Enum(['mirror', 'google', 'none'] as const, {
      description:
        'Where the owner’s busy times come from: kept up to date here, read from Google for this answer, or not to be had (only with `explain`; nothing is offered then).',
    }),
    checkedAt: nullable(
      Type.Integer({ description: 'Epoch milliseconds of the last look at the calendar.' }),
    ),
    unavailable: Type.Optional(
      Type.Array(UnavailableStart, { description: 'With `explain`: starts that are not offered.' }),
    ),
  },
  { $id: 'Slots' },
);
export type Slots = Static<typeof Slots>;
