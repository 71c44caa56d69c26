import Type, { type Static } from 'typebox';
import { BotId, Instant, nullable, OneLine, strictObject } from './common.ts';

export const weekdays = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
] as const;
export type Weekday = (typeof weekdays)[number];

const ClockTime = Type.String({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d$|^24:00$' });

/** Bookable hours of one weekday, in the zone of the bot; `end` may be `24:00`. */
export const HoursRange = strictObject({ start: ClockTime, end: ClockTime });
export type HoursRange = Static<typeof HoursRange>;

const optionalRanges = Type.Optional(Type.Array(HoursRange, { maxItems: 10 }));

export const WeeklyHours = strictObject(
  Object.fromEntries(weekdays.map((day) => [day, optionalRanges])) as Record<
    Weekday,
    typeof optionalRanges
  >,
  { description: 'Bookable hours per weekday; a weekday that is left out is closed.' },
);
export type WeeklyHours = Static<typeof WeeklyHours>;

const minutes = (description: string, maximum: number) =>
  Type.Integer({ minimum: 0, maximum, description });

/** Hours of one date, in place of those of its weekday. */
export const DateOverride = strictObject({
  date: Type.String({
    pattern: '^\\d{4}-\\d{2}-\\d{2}$',
    description: 'YYYY-MM-DD, in the zone of the bot.',
  }),
  ranges: Type.Array(HoursRange, { maxItems: 10, description: 'Empty: a day off.' }),
});
export type DateOverride = Static<typeof DateOverride>;

/** When a bot may be booked, beside its weekly hours. */
const ruleSettings = {
  dateOverrides: Type.Array(DateOverride, {
    maxItems: 400,
    description: 'Dates whose hours differ from their weekday’s: holidays, days off, extra days.',
  }),
  durationsMinutes: nullable(
    Type.Array(Type.Integer({ minimum: 5, maximum: 1440 }), {
      minItems: 1,
      maxItems: 20,
      description: 'Lengths that a request may ask for beside `durationMinutes`; null: any.',
    }),
  ),
  slotStepMinutes: Type.Integer({
    minimum: 5,
    maximum: 1440,
    description: 'Appointments start every so many minutes, counted from the start of the hours.',
  }),
  bufferBeforeMinutes: minutes('Kept free before each appointment.', 720),
  bufferAfterMinutes: minutes('Kept free after each appointment.', 720),
  minimumNoticeMinutes: minutes(
    'How long before its start an appointment may last be booked.',
    525_600,
  ),
  horizonDays: Type.Integer({
    minimum: 0,
    maximum: 730,
    description: 'How many days ahead, beside today, may be booked.',
  }),
  maxPerDay: nullable(
    Type.Integer({
      minimum: 1,
      maximum: 1000,
      description: 'Most appointments on one day; null: no limit.',
    }),
  ),
  maxPerWeek: nullable(
    Type.Integer({
      minimum: 1,
      maximum: 5000,
      description: 'Most appointments in one week, Monday to Sunday; null: no limit.',
    }),
  ),
  acceptPending: Type.Boolean({
    description:
      'Whether to take bookings while the calendar cannot be read; they are pending until it can. Default: refuse them.',
  }),
  busyCalendars: Type.Array(OneLine({ minLength: 1, maxLength: 254 }), {
    maxItems: 10,
    description:
      'Ids of further calendars of the owner whose events count as busy; one that cannot be read blocks bookings.',
  }),
};
const botSettings = {
  name: OneLine({
    minLength: 1,
    maxLength: 120,
    description: 'Name of the business, as owners and customers see it.',
  }),
  timeZone: Type.String({
    maxLength: 64,
    description: 'IANA zone that `date` and `time` are meant in unless a request says otherwise.',
  }),
  durationMinutes: Type.Integer({
    minimum: 5,
    maximum: 1440,
    description: 'Length of an appointment unless a request says otherwise.',
  }),
  language: Type.String({
    pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$',
    maxLength: 35,
    description:
      'BCP 47 language of sentences for customers, such as `when`, unless a request names one.',
    examples: ['en', 'de', 'pt-BR'],
  }),
  weeklyHours: nullable(WeeklyHours),
  ...ruleSettings,
  allowedOrigins: Type.Array(
    Type.String({ maxLength: 200, examples: ['https://www.example.com'] }),
    {
      maxItems: 50,
      description:
        'Web origins whose pages may post appointments without an API key. Empty: a key is needed.',
    },
  ),
};

const { name, ...furtherSettings } = botSettings;

export const CreateBot = strictObject({
  id: Type.Optional(BotId),
  name,
  ...Type.Partial(Type.Object(furtherSettings)).properties,
});
export type CreateBot = Static<typeof CreateBot>;

export const UpdateBot = Type.Partial(strictObject(botSettings), { additionalProperties: false });
export type UpdateBot = Static<typeof UpdateBot>;

export const Bot = Type.Object(
  { id: BotId, ...botSettings, createdAt: Instant, updatedAt: Instant },
  { $id: 'Bot' },
);
export type Bot = Static<typeof Bot>;

/** How much of a list is given when the caller does not say. */
export const defaultPageSize = 50;

export const PageQuery = strictObject({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: defaultPageSize })),
  cursor: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9-]{0,200}$' })),
});
export type PageQuery = Static<typeof PageQuery>;

export const BotPage = Type.Object({
  bots: Type.Array(Bot),
  nextCursor: nullable(Type.String({ description: 'Pass as `cursor` to get the next page.' })),
});
