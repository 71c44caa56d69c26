import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { ChangeFeed, type ChangeTopic } from './change-feed.ts';
import type { Transaction } from './transaction.ts';

/** How often this process looks whether another one committed, in milliseconds. */
const pollEveryMs = 100;
/** How long announcements are kept, in milliseconds; far longer than any process is paused. */
const keepForMs = 3_600_000;

interface Announcement {
  seq: number;
  topic: string;
  subject: string;
}

/**
 * The feed over a table: SQLite has no notifications, but `PRAGMA data_version` tells for a
 * microsecond's work whether any other connection committed (https://sqlite.org/pragma.html).
 */
export class SqliteChangeFeed extends ChangeFeed {
  readonly reliable = true;
  readonly hearsUnannounced = true;
  readonly #dataVersion: StatementSync;
  readonly #since: StatementSync;
  readonly #timer: NodeJS.Timeout;
  #seenVersion: unknown;
  #seenSeq: number;

  /**
   * @param writer the connection that this process writes on: its data version changes only with
   *   the commits of others
   * @param reader the connection that this process reads committed rows on
   */
  constructor(writer: DatabaseSync, reader: DatabaseSync) {
    super();
    this.#dataVersion = writer.prepare('pragma data_version');
    this.#since = reader.prepare(
      'select seq, topic, subject from cache_invalidations where seq > ? order by seq',
    );
    const newest = reader.prepare('select max(seq) as seq from cache_invalidations').get();
    this.#seenSeq = Number(newest?.seq ?? 0);
    this.#timer = setInterval(() => this.#poll(), pollEveryMs).unref();
  }

  async announce(tx: Transaction, topic: ChangeTopic, subject: string): Promise<void> {
    const at = Date.now();
    await tx.insertInto('cache_invalidations').values({ topic, subject, at }).execute();
    await tx
      .deleteFrom('cache_invalidations')
      .where('at', '<', at - keepForMs)
      .execute();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
  }

  #poll(): void {
    const version = this.#dataVersion.get()?.data_version;
    if (version === this.#seenVersion) return;
    this.#seenVersion = version;
    // Another process wrote something; it may have been claims.
    this.resetTopic('claims');
    for (const row of this.#since.all(this.#seenSeq) as unknown as Announcement[]) {
      // The oldest unseen one may have been swept while this process was stopped.
      if (this.#seenSeq > 0 && row.seq > this.#seenSeq + 1) this.reset();
      this.#seenSeq = row.seq;
      this.deliver(row.topic, row.subject);
    }
  }
}
