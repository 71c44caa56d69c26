import { subjectOf } from './random-ids.ts';

/** A person with a Google account, as a seed names one. */
export type AccountSeed = {
  email: string;
  name?: string;
  /** IANA zone of the primary calendar; default UTC. */
  timeZone?: string;
  /** Stable account number; default: derived from the e-mail. */
  sub?: string;
  /** Further calendars of the account; an entry with `id: 'primary'` shares the primary one. */
  calendars?: CalendarSeed[];
};

/** A calendar of an account, as a seed names one. */
export type CalendarSeed = {
  /** Default: `<something>@group.calendar.google.com`. */
  id?: string;
  summary?: string;
  timeZone?: string;
  /** Who else may see or change it: e-mail to access role. */
  sharedWith?: Record<string, AccessRole>;
};

export const ACCESS_ROLES = ['freeBusyReader', 'reader', 'writer', 'owner'] as const;
export type AccessRole = (typeof ACCESS_ROLES)[number];

export type Account = { email: string; name: string; sub: string; timeZone: string };

/** An OAuth client of the Cloud console. */
export type ClientSeed = {
  clientId: string;
  clientSecret: string;
  redirectUris: string[];
  /** In Testing, grants die after seven days (facts §1 "Why a refresh token dies"). */
  publishingStatus?: 'production' | 'testing';
  /** Clients of one project share grants; default: the digits that a Google client id starts with, else the id. */
  projectId?: string;
  /** The name on the consent page. */
  appName?: string;
};

export type Client = Required<ClientSeed>;

/** The accounts and OAuth clients that a sandbox knows. */
export type Directory = {
  accounts(): Account[];
  account(email: string): Account | undefined;
  accountBySub(sub: string): Account | undefined;
  /**
   * @param open makes the account's calendars; when it throws, there is no account either
   * @throws TypeError when the e-mail is taken or is none
   */
  addAccount(seed: AccountSeed, open: (account: Account) => void): Account;
  clients(): Client[];
  client(clientId: string): Client | undefined;
  addClient(seed: ClientSeed): Client;
};

export function createDirectory(): Directory {
  const accounts = new Map<string, Account>();
  const bySub = new Map<string, Account>();
  const clients = new Map<string, Client>();
  return {
    accounts: () => [...accounts.values()],
    account: (email) => accounts.get(email.toLowerCase()),
    accountBySub: (sub) => bySub.get(sub),
    addAccount(seed, open) {
      const email = seed.email.toLowerCase();
      if (!/^[^@\s]+@[^@\s]+$/.test(email)) {
        throw new TypeError(`"${seed.email}" is not an e-mail address.`);
      }
      if (accounts.has(email)) throw new TypeError(`There already is an account ${email}.`);
      const account: Account = {
        email,
        name: seed.name ?? nameFrom(email),
        sub: seed.sub ?? subjectOf(email),
        timeZone: seed.timeZone ?? 'UTC',
      };
      open(account);
      accounts.set(email, account);
      bySub.set(account.sub, account);
      return account;
    },
    clients: () => [...clients.values()],
    client: (clientId) => clients.get(clientId),
    addClient(seed) {
      const client: Client = {
        clientId: seed.clientId,
        clientSecret: seed.clientSecret,
        redirectUris: [...seed.redirectUris],
        publishingStatus: seed.publishingStatus ?? 'production',
        projectId: seed.projectId ?? /^\d+(?=-)/.exec(seed.clientId)?.[0] ?? seed.clientId,
        appName: seed.appName ?? seed.clientId,
      };
      clients.set(client.clientId, client);
      return client;
    },
  };
}

function nameFrom(email: string): string {
  return email
    .slice(0, email.indexOf('@'))
    .split(/[._-]+/)
    .filter((word) => word !== '')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ');
}
