import type { Bots } from '../bots/bots.ts';
import type { Database } from '../db/index.ts';
import type { GoogleCalendar, GoogleOAuth } from '../google/index.ts';
import type { Logger } from '../logger.ts';
import type { Vault } from '../vault/index.ts';
import type { Connections } from './connections.ts';
import type { OperatorAlarm } from './operator-alarm.ts';

/** What a consent is carried out with. */
export interface ConsentParts {
  readonly database: Database;
  readonly vault: Vault;
  readonly oauth: GoogleOAuth;
  readonly calendar: GoogleCalendar;
  readonly bots: Bots;
  readonly connections: Connections;
  readonly publicUrl: string;
  readonly alarm: OperatorAlarm;
  readonly log: Logger;
  /** Clock in epoch milliseconds. */
  readonly now: () => number;
}
