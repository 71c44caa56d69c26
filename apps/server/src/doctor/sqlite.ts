import type { SqliteDisk, SqliteLook } from '../db/index.ts';
import { fault, notTold, ok, type Verdict, warning } from './finding.ts';

const mega = 1_000_000;
/** A commit fails on a full disk; the log alone may grow to some tens of megabytes. */
const leastFreeBytes = 100 * mega;
const comfortableFreeBytes = 1_000 * mega;

/** Where the file is, and whether it is one. */
export function judgeFile({ disk, file }: SqliteLook): Verdict {
  if (file === null) {
    return warning(
      `SQLite: ${disk.path} is not there yet`,
      'the first start makes it; if it should be there, correct CALHOOK_DATABASE_URL',
    );
  }
  if (!('problem' in file)) return ok(`SQLite, ${disk.path}`);
  return file.problem === 'not_a_database'
    ? fault(
        `${disk.path} is not a SQLite database`,
        'correct CALHOOK_DATABASE_URL, or restore the file from a backup',
      )
    : fault(
        `SQLite: ${disk.path} cannot be opened`,
        'give the user that runs Calhook the right to read and write it and its directory',
      );
}

/** Whether a server could write: rights, and the lock. */
export function judgeWriting({ disk, file }: SqliteLook): Verdict {
  const lock = file && 'lock' in file ? file.lock : null;
  if (!disk.writable || lock === 'refused') {
    return fault(
      `this user may not write ${disk.path}, or not in its directory`,
      'give the user that runs Calhook both rights, and run calhook doctor as that user',
    );
  }
  if (lock === 'busy') {
    return warning(
      'another process keeps the database locked',
      'end what holds it: a backup, or a long transaction of another program',
    );
  }
  return file && 'problem' in file
    ? notTold('the database cannot be read')
    : ok('this user may write');
}

export function judgeSpace({ freeBytes, path }: SqliteDisk): Verdict {
  const free =
    freeBytes >= 10 * comfortableFreeBytes
      ? `${Math.floor(freeBytes / 1e9)} GB free`
      : `${Math.floor(freeBytes / mega)} MB free`;
  const remedy = `make room on the disk of ${path}`;
  if (freeBytes < leastFreeBytes) {
    return fault(`${free}; bookings fail when the disk is full`, remedy);
  }
  return freeBytes < comfortableFreeBytes ? warning(free, remedy) : ok(free);
}

/** Whether the write-ahead log works where the file is (https://sqlite.org/wal.html). */
export function judgeLog({ disk: { network }, file }: SqliteLook): Verdict {
  if (network?.certain) {
    return fault(
      `the file is on a network disk (${network.name}), where SQLite can lose data`,
      'move it to a disk of this machine, or use PostgreSQL',
    );
  }
  if (network) {
    return warning(
      `the file is on ${network.name}, which may be a network disk; SQLite can lose data on those`,
      'make sure that it is a disk of this machine, or use PostgreSQL',
    );
  }
  if (file && 'problem' in file) return notTold('the database cannot be read');
  return file === null || file.journalMode === 'wal'
    ? ok('works: the file is on a disk of this machine')
    : warning(
        `the journal mode is "${file.journalMode}", not "wal"`,
        'a start of Calhook sets it; if it stays, this disk cannot hold a write-ahead log',
      );
}
