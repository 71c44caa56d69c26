import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { googleOverrides } from '../../apps/server/src/demo/google-overrides.ts';
import { driveConsent } from '../../packages/google-sandbox/src/consent-driver.ts';
import { type ServerProcess, startProcess } from './processes.ts';
import { oauthClient } from './server-process.ts';

const cli = join(import.meta.dirname, '../../packages/google-sandbox/src/cli.ts');

export type Endpoints = Parameters<typeof googleOverrides>[0];

/** An event that an account has from the start. */
export interface SeedEvent {
  readonly email: string;
  readonly event: object;
}

/** A sandbox in a process of its own, without limits, that has some accounts and knows one client. */
export async function startSandboxProcess(
  directory: string,
  accounts: readonly string[],
  redirectUris: readonly string[],
  events: readonly SeedEvent[] = [],
): Promise<{ process: ServerProcess; url: string; endpoints: Endpoints }> {
  const seedFile = join(directory, 'seed.json');
  await writeFile(
    seedFile,
    JSON.stringify({
      accounts: accounts.map((email) => ({ email, timeZone: 'UTC' })),
      clients: [{ ...oauthClient, redirectUris }],
      events,
    }),
  );
  const sandbox = await startProcess({
    args: [cli, '--seed', seedFile, '--no-limits'],
    env: {},
    logFile: join(directory, 'sandbox.log'),
    isReady: (log) => /ready (\{.*\})/.exec(log)?.[1] ?? null,
  });
  return {
    process: sandbox,
    ...(JSON.parse(sandbox.ready) as { url: string; endpoints: Endpoints }),
  };
}

/** The tokens of a consent that no Calhook takes part in. */
export async function consentBeside(
  endpoints: Endpoints,
  account: string,
  redirectUri: string,
): Promise<{ access_token: string; refresh_token: string }> {
  const authorization = new URL(endpoints.authUrl);
  authorization.search = new URLSearchParams({
    client_id: oauthClient.clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    access_type: 'offline',
    prompt: 'consent',
    scope: 'openid email https://www.googleapis.com/auth/calendar.events',
  }).toString();
  const callback = new URL(await driveConsent(authorization.href, { account }));
  const answer = await fetch(endpoints.tokenUrl, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: callback.searchParams.get('code') ?? '',
      redirect_uri: redirectUri,
      client_id: oauthClient.clientId,
      client_secret: oauthClient.clientSecret,
    }),
  });
  return (await answer.json()) as { access_token: string; refresh_token: string };
}
