import type { GoogleConfig } from '../config.ts';
import { GoogleProbe, type ProbeAnswer } from '../google/index.ts';
import { fault, notTold, ok, type Verdict, warning } from './finding.ts';
import type { Check } from './run-checks.ts';

const idVariable = 'CALHOOK_GOOGLE_CLIENT_ID';
const secretVariable = 'CALHOOK_GOOGLE_CLIENT_SECRET';
const clients = 'the Google Cloud console (Google Auth Platform, Clients)';

/** Up to here it is the network's delay; from the second on, "not in the past" goes wrong. */
const unnoticedMs = 5_000;
const harmfulMs = 60_000;

const wrongClientErrors: readonly (string | null)[] = [
  'invalid_client',
  'deleted_client',
  'disabled_client',
];

function unreachable(url: string, answer: ProbeAnswer & { answered: false }): Verdict {
  return fault(
    `${new URL(url).host} cannot be reached: ${answer.problem.text}`,
    'let this machine make HTTPS connections to it: name resolution, firewall, proxy',
  );
}

function inTrouble(url: string, status: number): Verdict {
  return warning(
    `cannot be told: ${new URL(url).host} answers ${status}`,
    'Google is in trouble, or something in between is; run calhook doctor again later',
  );
}

function judgeClient(url: string, token: ProbeAnswer, authorization: ProbeAnswer): Verdict {
  if (!token.answered) return unreachable(url, token);
  const { error, status } = token;
  const idRefused =
    authorization.answered && wrongClientErrors.includes(authorization.error)
      ? authorization.error
      : null;
  switch (error) {
    case 'invalid_grant':
      return ok('Google accepts the id and the secret');
    case 'invalid_client':
    case 'unauthorized_client':
      return idRefused
        ? fault(
            `Google does not know the client id, or no longer (${idRefused})`,
            `copy ${idVariable} from ${clients}`,
          )
        : fault(
            'Google does not accept the client secret',
            `add a new secret in ${clients}, which shows it once, as ${secretVariable}`,
          );
    case 'deleted_client':
    case 'disabled_client':
      return fault(
        `the client is no longer in use at Google (${error})`,
        `restore it in ${clients}, or make a new one`,
      );
  }
  if (error === null || status >= 500 || status === 429) return inTrouble(url, status);
  return fault(
    `Google refuses the client (${error})`,
    `compare ${idVariable} and ${secretVariable} with ${clients}`,
  );
}

function judgeRedirect(url: string, redirectUri: string, answer: ProbeAnswer): Verdict {
  if (!answer.answered) return unreachable(url, answer);
  const { error, status } = answer;
  if (wrongClientErrors.includes(error)) return notTold('Google does not know the client id');
  if (error === 'redirect_uri_mismatch') {
    return fault(
      `${redirectUri} is not registered with the client`,
      `register it to the letter in ${clients}, or correct CALHOOK_PUBLIC_URL`,
    );
  }
  if (error !== null) {
    return fault(
      `Google shows an error instead of the consent page (${error})`,
      'see "When it does not work" in docs/google-cloud.md',
    );
  }
  return status >= 400 ? inTrouble(url, status) : ok(`Google takes ${redirectUri}`);
}

function judgeReach(url: string, variable: string, answer: ProbeAnswer): Verdict {
  if (!answer.answered) return unreachable(url, answer);
  const { host } = new URL(url);
  if (answer.status >= 500 || answer.status === 429) return inTrouble(url, answer.status);
  return answer.status === 401 || answer.status === 403
    ? ok(`${host} answers`)
    : fault(`${host} answers ${answer.status}, as Google would not`, `leave ${variable} out`);
}

function judgeClock(answers: readonly ProbeAnswer[]): Verdict {
  const told = answers.find((answer) => answer.answered && answer.clockAheadMs !== null);
  if (!told?.answered || told.clockAheadMs === null) {
    return notTold('Google tells no time');
  }
  const aheadMs = told.clockAheadMs;
  const seconds = Math.round(Math.abs(aheadMs) / 1_000);
  if (Math.abs(aheadMs) <= unnoticedMs) return ok(`within ${seconds} s of Google's`);
  const message = `${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} Google's`;
  const remedy = 'set the clock of this machine, and keep it right (NTP, chrony)';
  return Math.abs(aheadMs) <= harmfulMs ? warning(message, remedy) : fault(message, remedy);
}

/** What Google can be asked without a grant. */
export function googleChecks(
  config: GoogleConfig,
  redirectUri: string,
  now: () => number,
  timeoutMs: number,
): { readonly checks: readonly Check[]; close(): Promise<void> } {
  const probe = new GoogleProbe(config, redirectUri, now, timeoutMs);
  const token = probe.token();
  const authorization = probe.authorization();
  const calendar = probe.calendar();
  const userinfo = probe.userinfo();
  const { tokenUrl, authUrl, apiUrl, userinfoUrl } = config;
  return {
    checks: [
      {
        name: 'clock',
        look: async () => judgeClock(await Promise.all([token, calendar, authorization])),
      },
      {
        name: 'Google client',
        look: async () => judgeClient(tokenUrl, await token, await authorization),
      },
      {
        name: 'redirect URI',
        look: async () => judgeRedirect(authUrl, redirectUri, await authorization),
      },
      {
        name: 'Calendar API',
        look: async () => judgeReach(apiUrl, 'CALHOOK_GOOGLE_API_URL', await calendar),
      },
      {
        name: 'account lookup',
        look: async () => judgeReach(userinfoUrl, 'CALHOOK_GOOGLE_USERINFO_URL', await userinfo),
      },
    ],
    close: () => probe.close(),
  };
}
