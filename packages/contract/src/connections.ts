import Type, { type Static } from 'typebox';
import { Instant, nullable } from './common.ts';

export const connectionStatuses = [
  'connected',
  'not_connected',
  'needs_reauth',
  'missing_scopes',
] as const;
export type ConnectionStatus = (typeof connectionStatuses)[number];

/** Answer of `GET /api/calendar/status/{botId}`: stored state only. */
export const CalendarStatus = Type.Object(
  {
    connected: Type.Boolean({ description: 'A grant is stored.' }),
    expired: Type.Boolean({
      description: 'The stored grant can no longer be used; the owner must connect again.',
    }),
    status: Type.Enum(connectionStatuses),
    account: nullable(Type.String({ description: 'E-mail of the connected Google account.' })),
    calendarId: nullable(Type.String()),
    reason: nullable(Type.String({ description: 'Why the grant cannot be used.' })),
    reconnectUrl: nullable(
      Type.String({
        description:
          'For the owner, when `expired`: mends the connection with the same Google account.',
      }),
    ),
    since: nullable(Instant),
    expiresAt: Type.Optional(
      nullable(
        Type.Integer({
          description:
            'When Google will end the grant by itself, in epoch milliseconds: seven days after the consent while the OAuth client is in Testing. null: it does not end by itself.',
        }),
      ),
    ),
  },
  { $id: 'CalendarStatus' },
);
export type CalendarStatus = Static<typeof CalendarStatus>;

/** Answer of `POST /api/calendar/connect/{botId}`. */
export const ConnectLink = Type.Object(
  {
    url: Type.String({ description: 'One-time link; give it to the owner of the calendar.' }),
    expiresAt: Instant,
  },
  { $id: 'ConnectLink' },
);

/** Answer of `POST /api/calendar/disconnect/{botId}`. */
export const Disconnected = Type.Object({
  success: Type.Literal(true),
  connected: Type.Literal(false),
});
