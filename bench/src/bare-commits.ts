import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const bareMs = 1_000;

/**
 * Durable commits per second that the disk gives: one connection, one row each, one after another.
 * It runs while nothing else does, in the directory of the server's database.
 */
export function bareCommits(directory: string): number {
  const db = new DatabaseSync(join(directory, 'bare.db'));
  db.exec('pragma journal_mode = wal; pragma synchronous = full');
  db.exec('create table if not exists rows (id integer primary key, text text not null)');
  const insert = db.prepare('insert into rows (text) values (?)');
  const text = 'x'.repeat(200);
  const from = performance.now();
  let commits = 0;
  while (performance.now() < from + bareMs) {
    db.exec('begin immediate');
    insert.run(text);
    db.exec('commit');
    commits++;
  }
  const rate = (commits * 1_000) / (performance.now() - from);
  db.close();
  return rate;
}
