import Type, { type Static } from 'typebox';
import { DateTime, Instant, nullable, strictObject } from './common.ts';

export const appointmentStatuses = ['pending', 'confirmed', 'cancelled', 'failed'] as const;
export type AppointmentStatus = (typeof appointmentStatuses)[number];

// The default pattern of a record's names, ^.*$, leaves those with a line break unchecked.
const anyName = Type.String({ pattern: '^[\\s\\S]*$' });

const answers = Type.Record(anyName, Type.String({ maxLength: 2000 }), {
  description: 'Further answers of the form, shown in the event.',
  maxProperties: 50,
  propertyNames: { minLength: 1, maxLength: 100 },
});

export const durationMinutes = (defaultLength: string) =>
  Type.Integer({
    minimum: 5,
    maximum: 1440,
    description: `Length of the appointment; default: ${defaultLength}.`,
  });

/** A start as a person says it, in a zone. */
export const wallClock = {
  date: Type.String({ maxLength: 40, description: 'YYYY-MM-DD' }),
  time: Type.String({ maxLength: 40, description: 'HH:mm, 24 hours' }),
  timeZone: Type.Optional(
    Type.String({
      maxLength: 64,
      description: 'IANA zone of `date` and `time`; default: the bot’s.',
    }),
  ),
  offset: Type.Optional(
    Type.String({
      maxLength: 9,
      description:
        'UTC offset such as +02:00: checked against the zone, and tells which of two equal local times is meant.',
    }),
  ),
  weekday: Type.Optional(
    Type.String({ maxLength: 20, description: 'English weekday; checked against `date`.' }),
  ),
};

export const customerName = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'Full name of the customer.',
});

const bookingFields = {
  customerName: Type.Optional(customerName),
  fullName: Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, description: 'Same as `customerName`.' }),
  ),
  email: Type.String({
    minLength: 3,
    maxLength: 254,
    description: 'E-mail address of the customer, to which Google sends the invitation.',
  }),
  phone: Type.Optional(
    Type.String({ maxLength: 40, description: 'Telephone number of the customer.' }),
  ),
  ...wallClock,
  durationMinutes: Type.Optional(durationMinutes('the bot’s')),
  language: Type.Optional(
    Type.String({
      maxLength: 35,
      description:
        'BCP 47 language of the customer, such as de or pt-BR; sentences are in it where it is known.',
    }),
  ),
  holdId: Type.Optional(
    Type.String({ maxLength: 64, description: 'The hold that keeps this time for the visitor.' }),
  ),
  notes: Type.Optional(
    Type.String({
      maxLength: 4000,
      description: 'What the owner should know; shown in the event.',
    }),
  ),
  answers: Type.Optional(answers),
};

/** Body of `POST /api/calendar/create-event/{botId}`. */
export const CreateEvent = strictObject(bookingFields, { $id: 'CreateEvent' });
export type CreateEvent = Static<typeof CreateEvent>;
export const createEventFields = Object.keys(bookingFields) as (keyof CreateEvent)[];

/** Answer of `POST /api/calendar/create-event/{botId}`. */
export const EventCreated = Type.Object(
  {
    success: Type.Literal(true),
    appointmentId: Type.String(),
    eventId: nullable(Type.String({ description: 'Id of the event in Google Calendar.' })),
    eventLink: nullable(Type.String()),
    status: Type.Enum(appointmentStatuses),
    start: DateTime,
    end: DateTime,
    timeZone: Type.String(),
    when: Type.String({ description: 'The time as a sentence that a chatbot may read out.' }),
    meetLink: Type.Optional(Type.String()),
    manageUrl: Type.String({
      description: 'Page on which the customer may cancel or move the appointment.',
    }),
    replayed: Type.Optional(
      Type.Boolean({ description: 'True when this booking had already been made.' }),
    ),
  },
  { $id: 'EventCreated' },
);
export type EventCreated = Static<typeof EventCreated>;

/** One appointment, as lists and single reads show it. */
export const Appointment = Type.Object(
  {
    id: Type.String(),
    botId: Type.String(),
    status: Type.Enum(appointmentStatuses),
    customerName: Type.String(),
    email: Type.String(),
    phone: nullable(Type.String()),
    start: DateTime,
    end: DateTime,
    timeZone: Type.String(),
    notes: nullable(Type.String()),
    answers: Type.Record(Type.String(), Type.String()),
    when: Type.String({ description: 'The time as a sentence that a chatbot may read out.' }),
    eventId: nullable(Type.String()),
    eventLink: nullable(Type.String()),
    meetLink: nullable(Type.String()),
    manageUrl: Type.String({
      description: 'Page on which the customer may cancel or move the appointment.',
    }),
    inGoogle: Type.Boolean({
      description: 'Whether Google Calendar shows the appointment as it is here.',
    }),
    conflictSince: nullable(
      Type.Integer({
        description:
          'Epoch milliseconds since when an event of the owner, or another appointment that the owner moved, is in its way; null: none is.',
      }),
    ),
    failure: nullable(
      Type.String({ description: 'Why Google does not have it, or not as it is here.' }),
    ),
    createdAt: Instant,
    updatedAt: Instant,
  },
  { $id: 'Appointment' },
);
export type Appointment = Static<typeof Appointment>;

export const AppointmentPage = Type.Object({
  appointments: Type.Array(Appointment),
  nextCursor: nullable(Type.String()),
});

/** Body of `POST /api/webhook/appointment`: what the chat posts. */
export const AppointmentWebhook = Type.Object(
  {
    botId: Type.String({ maxLength: 64 }),
    type: Type.String({ maxLength: 64, description: '`appointment`' }),
    formData: Type.Record(anyName, Type.Unknown(), {
      description:
        'The form: fullName, email, phone, date, time …; fields that are not known become `answers`.',
    }),
  },
  { $id: 'AppointmentWebhook', additionalProperties: true },
);
export type AppointmentWebhook = Static<typeof AppointmentWebhook>;
