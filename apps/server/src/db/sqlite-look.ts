import { constants } from 'node:fs';
import { access, open, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Database } from './database.ts';
import { type MigrationState, migrationState, readOnlyDatabase } from './look.ts';
import { Connection, openConnection, sqlitePath } from './sqlite.ts';

/** Where a SQLite file lies, or would lie. */
export interface SqliteDisk {
  readonly path: string;
  readonly exists: boolean;
  /** Whether this user may write the file, and files beside it (the write-ahead log). */
  readonly writable: boolean;
  readonly freeBytes: number;
  /** What the file system says of being shared between machines. */
  readonly network: { readonly name: string; readonly certain: boolean } | null;
}

/** What a SQLite file says of itself. */
interface SqliteFile {
  readonly journalMode: string;
  /** Whether a writer would get in: `busy` while another one holds the lock for too long. */
  readonly lock: 'free' | 'busy' | 'refused';
  readonly migrations: MigrationState;
  readonly database: Database;
}

export interface SqliteLook {
  readonly dialect: 'sqlite';
  readonly disk: SqliteDisk;
  /** Null where there is no file yet. */
  readonly file: SqliteFile | { readonly problem: 'not_a_database' | 'unreadable' } | null;
}

/** By `f_type` (statfs(2), Linux); the uncertain ones are also the disks of virtual machines. */
const networkFileSystems: ReadonlyMap<number, NonNullable<SqliteDisk['network']>> = new Map([
  [0x6969, { name: 'NFS', certain: true }],
  [0x517b, { name: 'SMB', certain: true }],
  [0xff534d42, { name: 'CIFS', certain: true }],
  [0xfe534d42, { name: 'SMB2', certain: true }],
  [0x00c36400, { name: 'Ceph', certain: true }],
  [0x5346414f, { name: 'AFS', certain: true }],
  [0x0bd00bd0, { name: 'Lustre', certain: true }],
  [0x65735546, { name: 'FUSE', certain: false }],
  [0x01021997, { name: '9p', certain: false }],
]);

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function isDirectoryToWrite(path: string): Promise<boolean> {
  if (!(await stat(path)).isDirectory()) return false;
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}

/** By opening it, since that is what counts where rights are more than the file's mode. */
async function isFileToWrite(path: string): Promise<boolean> {
  return open(path, 'r+').then(
    (file) => file.close().then(() => true),
    () => false,
  );
}

/** The directory that is there; those below it are made at the first start. */
async function nearestDirectory(path: string): Promise<string> {
  const directory = dirname(path);
  return directory === path || (await isThere(directory)) ? directory : nearestDirectory(directory);
}

async function lookAtDisk(path: string): Promise<SqliteDisk> {
  const exists = await isThere(path);
  const directory = await nearestDirectory(path);
  const { bavail, bsize, type } = await statfs(directory);
  return {
    path,
    exists,
    writable: (await isDirectoryToWrite(directory)) && (!exists || (await isFileToWrite(path))),
    freeBytes: bavail * bsize,
    network: (process.platform === 'linux' && networkFileSystems.get(type >>> 0)) || null,
  };
}

/** How long a writer is waited for; nothing else of this process goes on meanwhile. */
const lockWaitMs = 1_000;
const busy = 5;
const notADatabase = 26;

/** Takes the writer's lock and gives it back: nothing is written. */
function tryLock(writer: DatabaseSync): SqliteFile['lock'] {
  try {
    writer.exec('begin immediate');
    writer.exec('rollback');
    return 'free';
  } catch (error) {
    return (error as { errcode?: number }).errcode === busy ? 'busy' : 'refused';
  }
}

async function lookAtFile(path: string): Promise<SqliteFile> {
  const hadLog = await isThere(`${path}-wal`);
  const writer = new DatabaseSync(path, { timeout: lockWaitMs });
  let reader: DatabaseSync | undefined;
  try {
    reader = openConnection(path, true);
    const reading = new Connection(reader);
    const journalMode = String(reader.prepare('pragma journal_mode').get()?.journal_mode);
    return {
      journalMode,
      lock: tryLock(writer),
      migrations: await migrationState('sqlite', reading),
      database: readOnlyDatabase('sqlite', reading, async () => {
        // The last writer to leave merges the log into the file and removes it. A log that was
        // there before (of a server that runs, or was killed) stays; one that looking made goes.
        if (hadLog) writer.close();
        await reading.destroy();
        if (!hadLog) writer.close();
      }),
    };
  } catch (error) {
    if (hadLog) writer.close();
    reader?.close();
    if (!hadLog) writer.close();
    throw error;
  }
}

/** Looks at a SQLite database without changing, making or migrating anything. */
export async function lookAtSqlite(databaseUrl: string): Promise<SqliteLook> {
  const disk = await lookAtDisk(sqlitePath(databaseUrl));
  const look = async (): Promise<SqliteLook['file']> => {
    if (!disk.exists) return null;
    try {
      return await lookAtFile(disk.path);
    } catch (error) {
      const { errcode } = error as { errcode?: number };
      return { problem: errcode === notADatabase ? 'not_a_database' : 'unreadable' };
    }
  };
  return { dialect: 'sqlite', disk, file: await look() };
}
