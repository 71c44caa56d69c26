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

const optionalRanges = Type.Optional(Type.Array(HoursRange, { maxItems: 10 }));

export const WeeklyHours = strictObject(
  Object.fromEntries(weekdays.map((day) => [day, optionalRanges])) as Record<
    Weekday,
    typeof optionalRanges
  >,
  { description: 'Bookable hours per weekday; a weekday that is left out is closed.' },
);
export type WeeklyHours = Static<typeof WeeklyHours>;

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
  weeklyHours: nullable(WeeklyHours),
  allowedOrigins: Type.Array(
    Type.String({ maxLength: 200, examples: ['https://www.example.com'] }),
    {
      maxItems: 50,
      description:
        'Web origins whose pages may post appointments without an API key. Empty: a key is needed.',
    },
  ),
};

export const CreateBot = strictObject({
  id: Type.Optional(BotId),
  name: botSettings.name,
  timeZone: Type.Optional(botSettings.timeZone),
  durationMinutes: Type.Optional(botSettings.durationMinutes),
  weeklyHours: Type.Optional(botSettings.weeklyHours),
  allowedOrigins: Type.Optional(botSettings.allowedOrigins),
});
export type CreateBot = Static<typeof CreateBot>;

export const UpdateBot = Type.Partial(strictObject(botSettings), { additionalProperties: false });
export type UpdateBot = Static<typeof UpdateBot>;

export const Bot = Type.Object(
  { id: BotId, ...botSettings, createdAt: Instant, updatedAt: Instant },
  { $id: 'Bot' },
);
export type Bot = Static<typeof Bot>;

export const PageQuery = strictObject({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  cursor: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9-]{0,200}$' })),
});
export type PageQuery = Static<typeof PageQuery>;

export const BotPage = Type.Object({
  bots: Type.Array(Bot),
  nextCursor: nullable(Type.String({ description: 'Pass as `cursor` to get the next page.' })),
});
