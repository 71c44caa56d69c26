/**
 * What Google's own sources leave open or contradict each other on, and the sizes of its limits.
 * The default is the documented side; every switch can be set at start and while running.
 * `facts` names the evidence in facts/google.md.
 */
export type Switches = {
  [Name in keyof typeof SWITCHES]: (typeof SWITCHES)[Name]['default'];
};

type SwitchRow<Value> = {
  default: Value;
  /** The values a choice may take; absent for numbers, booleans and free text. */
  choices?: readonly Value[];
  about: string;
};

function choice<const Value extends string | number>(
  value: Value,
  others: readonly Value[],
  about: string,
): SwitchRow<Value> {
  return { default: value, choices: [value, ...others], about };
}
function amount(value: number, about: string): SwitchRow<number> {
  return { default: value, about };
}
function word(value: string, about: string): SwitchRow<string> {
  return { default: value, about };
}
function flag(value: boolean, about: string): SwitchRow<boolean> {
  return { default: value, about };
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

export const SWITCHES = {
  issuer: word('https://accounts.google.com', '`iss` of id_tokens and discovery'),
  invalidGrantWording: choice<'revoked' | 'bad-request' | 'aging'>(
    'revoked',
    ['bad-request', 'aging'],
    'error_description for a dead refresh token: "Token has been expired or revoked.", "Bad Request", or the first for 12 h and then the second',
  ),
  newConsentRevokesOld: flag(
    false,
    'prompt=consent kills the earlier refresh tokens of the user (one user report; the docs know only the 100-token rule)',
  ),
  sendRefreshTokenExpiresIn: flag(
    false,
    'token answers of a Testing client carry refresh_token_expires_in',
  ),
  consentBoxesStartTicked: flag(true, 'the tick boxes on the consent page start ticked'),
  authorizationCodeTtlMs: amount(10 * MINUTE, 'life of an authorization code'),
  accessTokenTtlSeconds: amount(3599, 'life of an access token'),
  liveRefreshTokens: amount(
    100,
    'refresh tokens per account and client before the oldest dies silently',
  ),
  testingGrantDays: amount(7, 'life of refresh tokens of a client in Testing mode'),
  idleRefreshTokenDays: amount(183, 'a refresh token unused for this long is dead (six months)'),
  revocationDelayMs: amount(0, 'how long access tokens go on working after a revocation'),
  idCollisions: choice<'detected' | 'undetected'>(
    'detected',
    ['undetected'],
    'insert with an id that is taken: 409, or (what the reference does not rule out) 200 and the newer event wins',
  ),
  patchOfDeleted: choice<'restore' | 'forbidden' | 'gone'>(
    'restore',
    ['forbidden', 'gone'],
    'patch {status:"confirmed"} on a cancelled event: 200 and restored, 403, or 410',
  ),
  garbageSyncToken: choice<410 | 400>(410, [400], 'status for a sync token that was never issued'),
  syncTokenLifeDays: amount(
    30,
    'age at which a sync token answers 410 fullSyncRequired (not published)',
  ),
  repeatedExtendedProperty: choice<'and' | 'or'>(
    'and',
    ['or'],
    'several privateExtendedProperty: all must match (reference) or any (guide)',
  ),
  freeBusyPrimaryKey: choice<'as-requested' | 'email'>(
    'as-requested',
    ['email'],
    'key of "primary" in a freeBusy answer',
  ),
  freeBusyMaxDays: amount(
    90,
    'widest freeBusy range; more is 400 timeRangeTooLong (not documented)',
  ),
  freeBusyClipped: flag(true, 'busy spans are cut to the range asked for (not documented)'),
  freeBusyTooMany: choice<'per-calendar' | 'http-400'>(
    'per-calendar',
    ['http-400'],
    'how tooManyCalendarsRequested is told',
  ),
  requiredAccessLevelDomain: choice<'calendar' | 'global'>(
    'calendar',
    ['global'],
    '`domain` of 403 requiredAccessLevel',
  ),
  meetLink: choice<'at-once' | 'pending'>(
    'at-once',
    ['pending'],
    'conferenceData.createRequest answers with the link, or pending first',
  ),
  meetLinkDelayMs: amount(2_000, 'how long a pending Meet link takes'),
  requestsPerMinutePerUser: amount(600, 'sliding minute window per user and project; 0 = no limit'),
  requestsPerMinutePerProject: amount(10_000, 'sliding minute window per project; 0 = no limit'),
  rateLimitStatus: choice<403 | 429>(403, [429], 'status of an exceeded rate limit'),
  externalInvitesPerDay: amount(
    10_000,
    'invitations of one user to outside guests per 24 h before 403 quotaExceeded; 0 = no limit',
  ),
  pushToLoopback: flag(false, 'watch may name http://127.0.0.1 (or localhost) receivers'),
  pushDropRate: amount(0, 'share of push messages that are lost, 0 to 1'),
  pushDefaultLifeMs: amount(
    7 * DAY,
    'life of a channel that asked for none (number not documented)',
  ),
  pushMaxLifeMs: amount(30 * DAY, 'longest life of a channel (number not documented)'),
  pushOutlivesGrant: flag(true, 'a channel lives until its expiry even when the grant dies'),
  ownerMailOnOwnInsert: flag(
    false,
    'the owner is mailed about events made with the own credentials (no source says so)',
  ),
  requestLogSize: amount(10_000, 'requests kept in the log; the oldest go first'),
} as const satisfies Record<string, SwitchRow<string | number | boolean>>;

/** All switches at their defaults, with `chosen` on top. @throws TypeError on an unknown name or value. */
export function switchesFrom(chosen: Partial<Switches> = {}): Switches {
  const switches = Object.fromEntries(
    Object.entries(SWITCHES).map(([name, row]) => [name, row.default]),
  ) as Switches;
  setSwitches(switches, chosen);
  return switches;
}

/** Changes running switches in place. @throws TypeError on an unknown name or value; nothing is changed then. */
export function setSwitches(switches: Switches, chosen: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(chosen)) {
    const row: SwitchRow<string | number | boolean> | undefined = Object.hasOwn(SWITCHES, name)
      ? SWITCHES[name as keyof Switches]
      : undefined;
    if (row === undefined) throw new TypeError(`There is no switch "${name}".`);
    const fits = row.choices
      ? row.choices.some((allowed) => allowed === value)
      : typeof value === typeof row.default && (typeof value !== 'number' || value >= 0);
    if (!fits) {
      const wanted = row.choices ? row.choices.join(' | ') : typeof row.default;
      throw new TypeError(`Switch "${name}" takes ${wanted}, not ${JSON.stringify(value)}.`);
    }
  }
  Object.assign(switches, chosen);
}
