import { sql } from 'kysely';
import pg from 'pg';
import { ChangeFeed, type ChangeTopic } from './change-feed.ts';
import type { Transaction } from './transaction.ts';

const channel = 'calhook_changes';
const reconnectAfterMs = 1_000;
const keepAliveAfterMs = 10_000;

/**
 * The feed over LISTEN/NOTIFY: PostgreSQL delivers in commit order, as long as the listening
 * connection lives. While it does not, the feed is not reliable and caches keep nothing.
 */
export class PostgresChangeFeed extends ChangeFeed {
  readonly #databaseUrl: string;
  // A notification takes a lock that all commits of the database share; claims are too many for it.
  readonly hearsUnannounced = false;
  #client: pg.Client | null = null;
  #closed = false;
  #reconnect: NodeJS.Timeout | undefined;

  constructor(databaseUrl: string) {
    super();
    this.#databaseUrl = databaseUrl;
  }

  get reliable(): boolean {
    return this.#client !== null;
  }

  async listen(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#databaseUrl,
      application_name: 'calhook changes',
      keepAlive: true,
      // A break of the network in between is noticed by this, not after the system's two hours.
      keepAliveInitialDelayMillis: keepAliveAfterMs,
    });
    client.on('notification', ({ payload = '' }) => {
      const [topic = '', subject = ''] = payload.split(/ (.*)/s);
      this.deliver(topic, subject);
    });
    client.on('error', () => this.#lost(client));
    client.on('end', () => this.#lost(client));
    await client.connect();
    await client.query(`listen ${channel}`);
    if (this.#closed) {
      await client.end();
      return;
    }
    this.#client = client;
    // Whatever was read before listening began may have changed in between.
    this.reset();
  }

  async announce(tx: Transaction, topic: ChangeTopic, subject: string): Promise<void> {
    await sql`select pg_notify(${channel}, ${`${topic} ${subject}`})`.execute(tx);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#reconnect);
    const client = this.#client;
    this.#client = null;
    await client?.end();
  }

  #lost(client: pg.Client): void {
    if (this.#client !== client) return;
    this.#client = null;
    this.reset();
    this.#retry();
  }

  #retry(): void {
    if (this.#closed) return;
    this.#reconnect = setTimeout(() => {
      this.listen().catch(() => this.#retry());
    }, reconnectAfterMs).unref();
  }
}
