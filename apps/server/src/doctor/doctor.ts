import type { Config, ConfigError } from '../config.ts';
import { databaseChecks } from './database.ts';
import { type Finding, fault } from './finding.ts';
import { googleChecks } from './google.ts';
import { judgeMailServer, judgeSender } from './mail.ts';
import { judgePublicUrl, judgeReachable } from './public-url.ts';
import { type Check, orLate, runChecks } from './run-checks.ts';

export interface DiagnosisOptions {
  /** Clock in epoch milliseconds; default: the machine's. */
  readonly now?: () => number;
  /** Longest wait for one answer of a peer, in milliseconds. */
  readonly timeoutMs?: number;
}

/**
 * Looks at all that a server of this configuration needs, changes nothing, and tells one finding per
 * check, whatever the others found. It may run beside servers on the same database.
 */
export async function diagnose(
  config: Config,
  { now = Date.now, timeoutMs = 8_000 }: DiagnosisOptions = {},
): Promise<readonly Finding[]> {
  const { publicUrl, mail } = config;
  const database = databaseChecks(config.databaseUrl, config.encryptionKeys, timeoutMs);
  const redirectUri = `${publicUrl}/oauth/google/callback`;
  const google = googleChecks(config.google, redirectUri, now, timeoutMs);
  const checks: readonly Check[] = [
    ...database.checks,
    { name: 'public URL', look: async () => judgePublicUrl(publicUrl) },
    { name: 'reachable', look: () => judgeReachable(publicUrl, timeoutMs) },
    ...google.checks,
    { name: 'mail server', look: () => judgeMailServer(mail, timeoutMs) },
    { name: 'mail sender', look: async () => judgeSender(mail) },
  ];
  try {
    // Peers answer in several steps; each has the timeout, so a check has some of them.
    return await runChecks(checks, 3 * timeoutMs);
  } finally {
    const closed = Promise.all([database.close(), google.close()]);
    await orLate(timeoutMs, closed, null);
  }
}

/** What cannot be read at all leaves nothing else to look at. */
export function configFindings(error: ConfigError): readonly Finding[] {
  return error.faults.map(({ variable, problem, purpose, example }) => ({
    check: 'configuration',
    ...fault(`${variable} ${problem}`, `set it (${purpose}), for example ${variable}=${example}`),
  }));
}
