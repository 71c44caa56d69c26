import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../db/index.ts';
import { EnvelopeError } from './envelope.ts';
import type { Vault } from './index.ts';
import { type SealedCell, type SealedColumn, sealedColumns } from './sealed-columns.ts';
import {
  countByKey,
  findEnvelopesNotUnder,
  listKeyChecks,
  type Replacement,
  replaceEnvelopes,
  type StoredEnvelope,
} from './store.ts';

/** How many envelopes are under which key; under the empty id, what is no envelope. */
export async function countEnvelopes(database: Database): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const column of sealedColumns) {
    for (const { keyId, envelopes } of await countByKey(database, column)) {
      counts.set(keyId, (counts.get(keyId) ?? 0) + envelopes);
    }
  }
  return counts;
}

/** Whether a server was started with this key in front: it leaves a check value then. */
export async function hasSealed(database: Database, keyId: string): Promise<boolean> {
  return (await listKeyChecks(database)).some((check) => check.key_id === keyId);
}

export interface RotationOptions {
  /** Envelopes per transaction. */
  readonly batch: number;
  /** Opens and seals everything, and stores nothing. */
  readonly dryRun: boolean;
  /** Told after each batch how many envelopes were looked at. */
  readonly onProgress: (done: number) => void;
  /** Told of an envelope that does not open; names its cell, never its content. */
  readonly onUnreadable: (error: EnvelopeError) => void;
}

export interface RotationReport {
  readonly resealed: number;
  /** Not replaced, since the server stored another one meanwhile, or took it away. */
  readonly overtaken: number;
  readonly unreadable: number;
}

/**
 * Seals every envelope anew that is not under the active key. What a running server stores
 * meanwhile is never overwritten: an envelope is replaced only while it is the one that was read.
 * Killed at any point, it goes on where it stopped when it is run again.
 */
export async function rotateKeys(
  database: Database,
  vault: Vault,
  options: RotationOptions,
): Promise<RotationReport> {
  const report = { resealed: 0, overtaken: 0, unreadable: 0 };
  for (const column of sealedColumns) {
    let after = '';
    for (;;) {
      const began = performance.now();
      const { activeKeyId } = vault;
      const { batch } = options;
      const stored = await findEnvelopesNotUnder(database, column, activeKeyId, after, batch);
      const last = stored.at(-1);
      if (!last) break;
      after = last.row;
      const fresh = stored.flatMap((one) => reseal(vault, column, one, options));
      const replaced = options.dryRun
        ? fresh.length
        : await replaceEnvelopes(database, column, fresh);
      report.resealed += replaced;
      report.overtaken += fresh.length - replaced;
      report.unreadable += stored.length - fresh.length;
      options.onProgress(report.resealed + report.overtaken + report.unreadable);
      // SQLite has one writer: half of its time stays the server's, so that bookings go on.
      await delay(performance.now() - began);
    }
  }
  return report;
}

function reseal(
  vault: Vault,
  { table, column }: SealedColumn,
  one: StoredEnvelope,
  { onUnreadable }: RotationOptions,
): Replacement[] {
  // The list of sealed columns holds the pair.
  const cell = { table, row: one.row, column } as SealedCell;
  try {
    return [{ ...one, fresh: vault.seal(cell, vault.open(cell, one.envelope)) }];
  } catch (error) {
    if (!(error instanceof EnvelopeError)) throw error;
    onUnreadable(error);
    return [];
  }
}
