import Type, { type Static } from 'typebox';
import { durationMinutes, wallClock } from './appointments.ts';
import { DateTime, strictObject } from './common.ts';

/** Body of `POST /api/calendar/hold/{botId}`. */
export const CreateHold = strictObject(
  {
    ...wallClock,
    durationMinutes: Type.Optional(durationMinutes('the bot’s')),
    holdMinutes: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 30, description: 'How long to keep it; default: 5.' }),
    ),
  },
  { $id: 'CreateHold' },
);
export type CreateHold = Static<typeof CreateHold>;

/** Answer of `POST /api/calendar/hold/{botId}`. */
export const Hold = Type.Object(
  {
    holdId: Type.String(),
    start: DateTime,
    end: DateTime,
    timeZone: Type.String(),
    when: Type.String({ description: 'The time as a sentence that a chatbot may read out.' }),
    expiresAt: Type.Integer({ description: 'Epoch milliseconds after which others may take it.' }),
  },
  { $id: 'Hold' },
);
export type Hold = Static<typeof Hold>;

/** Body of `POST /api/calendar/reschedule-event/{botId}/{appointmentId}`. */
export const RescheduleEvent = strictObject(
  { ...wallClock, durationMinutes: Type.Optional(durationMinutes('as long as it was')) },
  { $id: 'RescheduleEvent' },
);
export type RescheduleEvent = Static<typeof RescheduleEvent>;
