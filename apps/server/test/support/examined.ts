import { type Sandbox, startSandbox } from 'google-sandbox';
import { afterAll, beforeAll, expect } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { openDatabase } from '../../src/db/index.ts';
import { diagnose } from '../../src/doctor/doctor.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { hasFault } from '../../src/doctor/report.ts';
import { openVault } from '../../src/vault/index.ts';
import type { TestDatabase } from './databases.ts';
import { freePorts } from './free-ports.ts';
import { oauthClient, testEnvironment } from './test-app.ts';

/** What `calhook doctor` finds at a database whose surroundings are right. */
export type Examine = (
  url: string,
  environment?: Record<string, string>,
  timeoutMs?: number,
) => Promise<{ byName: Record<string, Finding>; failed: boolean }>;

/** Sets the surroundings up for the tests of a file. */
export function withSurroundings(): Examine {
  let publicUrl: string;
  let sandbox: Sandbox;
  beforeAll(async () => {
    publicUrl = `http://127.0.0.1:${await freePorts()}`;
    const redirectUris = [`${publicUrl}/oauth/google/callback`];
    sandbox = await startSandbox();
    sandbox.addClient({ ...oauthClient, redirectUris });
  });
  afterAll(() => sandbox.close());

  return async (url, environment = {}, timeoutMs = 5_000) => {
    const config = readConfig({ ...testEnvironment(sandbox, url, publicUrl), ...environment });
    const findings = await diagnose(config, { timeoutMs });
    const byName = Object.fromEntries(findings.map((finding) => [finding.check, finding]));
    // Whatever is wrong with the database, the other checks ran.
    expect(Object.keys(byName)).toHaveLength(findings.length);
    expect(byName['Google client']?.mark).toBe('ok');
    for (const { mark, remedy } of findings) expect(remedy === undefined).toBe(mark === 'ok');
    return { byName, failed: hasFault(findings) };
  };
}

const ring = [{ id: 'test', bytes: Buffer.alloc(32, 7) }];

/** Brings a database up to date, as a server does at its start. */
export async function migrated(database: TestDatabase): Promise<TestDatabase> {
  const opened = await openDatabase(database.url);
  await openVault(ring, opened, Date.now);
  await opened.close();
  return database;
}
