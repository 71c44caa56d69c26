import Type, { type Static } from 'typebox';
import { Instant, nullable } from './common.ts';

/** Something that happened to a bot. */
export const Activity = Type.Object(
  {
    id: Type.String(),
    at: Instant,
    kind: Type.String({ examples: ['appointment.confirmed', 'connection.needs_reauth'] }),
    subjectId: nullable(Type.String({ description: 'The appointment that it happened to.' })),
    detail: Type.Record(Type.String(), Type.Unknown()),
  },
  { $id: 'Activity' },
);

export type Activity = Static<typeof Activity>;

export const ActivityPage = Type.Object({
  activity: Type.Array(Activity),
  nextCursor: nullable(Type.String()),
});
