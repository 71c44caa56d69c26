import { readFileSync } from 'node:fs';
import { OperatorError } from './operator-error.ts';

/** Where Google's services are; each may be overridden, and that is all the sandbox needs. */
interface GoogleEndpoints {
  readonly authUrl: string;
  readonly tokenUrl: string;
  readonly revokeUrl: string;
  readonly userinfoUrl: string;
  /** Base of the REST services; ends before `/calendar/v3`. */
  readonly apiUrl: string;
}

export interface GoogleConfig extends GoogleEndpoints {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** One AES-256 key of the ring. */
export interface EncryptionKey {
  readonly id: string;
  /** 32 bytes. */
  readonly bytes: Buffer;
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
type LogLevel = (typeof logLevels)[number];

/** The mail server; null where none is set. */
export interface MailConfig {
  /** `smtp://` or `smtps://`, with user and password where the server wants them. */
  readonly smtpUrl: string | null;
  /** Who mail is from: an address, or a name and an address. */
  readonly from: string | null;
}

export interface Config {
  /** Origin under which browsers and Google reach this server, without a trailing slash. */
  readonly publicUrl: string;
  readonly host: string;
  readonly port: number;
  readonly databaseUrl: string;
  /** The first encrypts, all open. */
  readonly encryptionKeys: readonly EncryptionKey[];
  readonly google: GoogleConfig;
  readonly mail: MailConfig;
  readonly bootstrapApiKey: string | null;
  readonly trustProxy: boolean;
  readonly logLevel: LogLevel;
}

/** One fault of the configuration, told to the operator together with all others. */
export interface ConfigFault {
  readonly variable: string;
  readonly problem: string;
  readonly purpose: string;
  readonly example: string;
}

/** Thrown by {@link readConfig}; carries every fault at once. */
export class ConfigError extends OperatorError {
  override readonly name = 'ConfigError';
  readonly faults: readonly ConfigFault[];
  constructor(faults: readonly ConfigFault[]) {
    super(
      [
        `Calhook cannot start: ${faults.length} setting${faults.length === 1 ? '' : 's'} to mend.`,
        ...faults.map(
          (fault) =>
            `\n  ${fault.variable} ${fault.problem}\n    what for: ${fault.purpose}\n    example:  ${fault.variable}=${fault.example}`,
        ),
        '\nEach variable may also be given as a file: NAME_FILE=/run/secrets/name.',
      ].join('\n'),
    );
    this.faults = faults;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

interface Setting<T> {
  readonly variable: string;
  readonly purpose: string;
  readonly example: string;
  /** Used when the variable is not set; without one the variable is mandatory. */
  readonly fallback?: string;
  /** Throws an Error whose message continues the sentence "VARIABLE …". */
  readonly parse: (text: string) => T;
}

export const apiKeyPattern = /^chk_([a-z0-9]{8,32})_([A-Za-z0-9_-]{43,128})$/;
const keyIdPattern = /^[A-Za-z0-9-]{1,32}$/;

function parseUrl(text: string, protocols: readonly string[]): string {
  const url = URL.parse(text);
  if (!url || !protocols.includes(url.protocol)) {
    throw new Error(`is not a URL that starts with ${protocols.join('// or ')}//`);
  }
  return text.replace(/\/+$/, '');
}

const httpUrl = (text: string) => parseUrl(text, ['https:', 'http:']);

function parseSmtpUrl(text: string): string {
  const url = parseUrl(text, ['smtp:', 'smtps:']);
  if (new URL(url).hostname === '') throw new Error('names no host');
  return url;
}

/** An address, or a name with an address in angle brackets; RFC 5322 allows far more. */
function parseSender(text: string): string {
  if (!/^([^<>@\r\n]+ <[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/.test(text)) {
    throw new Error('must be an address, or a name and an address as in the example');
  }
  return text;
}

function parsePublicUrl(text: string): string {
  const url = new URL(httpUrl(text));
  if (url.pathname !== '/' || url.search || url.hash || url.username) {
    throw new Error('must be an origin only: scheme, host and port');
  }
  return url.origin;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535) throw new Error('must be a number from 0 to 65535');
  return port;
}

function parseDatabaseUrl(text: string): string {
  if (!/^(sqlite:.+|postgres(ql)?:\/\/.+)$/.test(text)) {
    throw new Error('must start with sqlite: or postgres://');
  }
  return text;
}

function parseKeyRing(text: string): EncryptionKey[] {
  const keys = text.split(',').map((entry) => {
    const [id = '', encoded = ''] = entry.trim().split(/:(.*)/s);
    if (!keyIdPattern.test(id)) {
      throw new Error('must list keys as id:base64, ids of letters, digits and hyphens');
    }
    const bytes = Buffer.from(encoded, 'base64');
    if (bytes.length !== 32) {
      throw new Error(
        `has a key "${id}" of ${bytes.length} bytes; each must be 32 bytes in base64`,
      );
    }
    return { id, bytes };
  });
  const ids = new Set(keys.map((key) => key.id));
  if (ids.size !== keys.length) throw new Error('names the same key id twice');
  return keys;
}

function parseApiKey(text: string): string {
  if (!apiKeyPattern.test(text)) {
    throw new Error('must look like chk_<id>_<secret of at least 43 characters>');
  }
  return text;
}

function oneOf<T extends string>(allowed: readonly T[]): (text: string) => T {
  return (text) => {
    const found = allowed.find((value) => value === text);
    if (found === undefined) throw new Error(`must be one of ${allowed.join(', ')}`);
    return found;
  };
}

const randomKeyCommand = '"k1:$(openssl rand -base64 32)"';

const settings = {
  publicUrl: {
    variable: 'CALHOOK_PUBLIC_URL',
    purpose: 'the origin under which browsers and Google reach this server',
    example: 'https://calendar.example.com',
    parse: parsePublicUrl,
  },
  host: {
    variable: 'CALHOOK_HOST',
    purpose: 'the address to listen on',
    example: '0.0.0.0',
    fallback: '127.0.0.1',
    parse: (text: string) => text,
  },
  port: {
    variable: 'CALHOOK_PORT',
    purpose: 'the port to listen on',
    example: '8080',
    fallback: '8080',
    parse: parsePort,
  },
  databaseUrl: {
    variable: 'CALHOOK_DATABASE_URL',
    purpose: 'where bots, connections and appointments are kept',
    example: 'postgres://calhook:secret@localhost/calhook',
    fallback: 'sqlite:./data/calhook.db',
    parse: parseDatabaseUrl,
  },
  encryptionKeys: {
    variable: 'CALHOOK_ENCRYPTION_KEYS',
    purpose: 'encrypts the tokens of all connections; keep a copy, without it they are lost',
    example: randomKeyCommand,
    parse: parseKeyRing,
  },
  clientId: {
    variable: 'CALHOOK_GOOGLE_CLIENT_ID',
    purpose: 'the OAuth client of your Google Cloud project',
    example: '1234-abcd.apps.googleusercontent.com',
    parse: (text: string) => text,
  },
  clientSecret: {
    variable: 'CALHOOK_GOOGLE_CLIENT_SECRET',
    purpose: 'the secret of that OAuth client',
    example: 'GOCSPX-…',
    parse: (text: string) => text,
  },
  authUrl: {
    variable: 'CALHOOK_GOOGLE_AUTH_URL',
    purpose: "overrides Google's consent page",
    example: 'http://127.0.0.1:4002/o/oauth2/v2/auth',
    fallback: 'https://accounts.google.com/o/oauth2/v2/auth',
    parse: httpUrl,
  },
  tokenUrl: {
    variable: 'CALHOOK_GOOGLE_TOKEN_URL',
    purpose: "overrides Google's token endpoint",
    example: 'http://127.0.0.1:4002/token',
    fallback: 'https://oauth2.googleapis.com/token',
    parse: httpUrl,
  },
  revokeUrl: {
    variable: 'CALHOOK_GOOGLE_REVOKE_URL',
    purpose: "overrides Google's revocation endpoint",
    example: 'http://127.0.0.1:4002/revoke',
    fallback: 'https://oauth2.googleapis.com/revoke',
    parse: httpUrl,
  },
  userinfoUrl: {
    variable: 'CALHOOK_GOOGLE_USERINFO_URL',
    purpose: "overrides Google's userinfo endpoint",
    example: 'http://127.0.0.1:4002/v1/userinfo',
    fallback: 'https://openidconnect.googleapis.com/v1/userinfo',
    parse: httpUrl,
  },
  apiUrl: {
    variable: 'CALHOOK_GOOGLE_API_URL',
    purpose: "overrides the base of Google's APIs (ends before /calendar/v3)",
    example: 'http://127.0.0.1:4002',
    fallback: 'https://www.googleapis.com',
    parse: httpUrl,
  },
  smtpUrl: {
    variable: 'CALHOOK_SMTP_URL',
    purpose: 'the mail server to send by, with user and password',
    example: 'smtps://user:password@mail.example.com',
    fallback: '',
    parse: (text: string) => (text === '' ? null : parseSmtpUrl(text)),
  },
  mailFrom: {
    variable: 'CALHOOK_MAIL_FROM',
    purpose: 'who mail is from',
    example: 'Calendar <calendar@example.com>',
    fallback: '',
    parse: (text: string) => (text === '' ? null : parseSender(text)),
  },
  bootstrapApiKey: {
    variable: 'CALHOOK_BOOTSTRAP_API_KEY',
    purpose: 'a first API key with all scopes, stored hashed at the first start',
    example: 'chk_bootstrap_$(openssl rand -hex 32)',
    fallback: '',
    parse: (text: string) => (text === '' ? null : parseApiKey(text)),
  },
  trustProxy: {
    variable: 'CALHOOK_TRUST_PROXY',
    purpose: 'whether X-Forwarded-* of a reverse proxy in front is believed',
    example: 'true',
    fallback: 'false',
    parse: (text: string) => oneOf(['true', 'false'])(text) === 'true',
  },
  logLevel: {
    variable: 'CALHOOK_LOG_LEVEL',
    purpose: 'how much is logged',
    example: 'info',
    fallback: 'info',
    parse: oneOf(logLevels),
  },
} as const satisfies Record<string, Setting<unknown>>;

type SettingName = keyof typeof settings;
type SettingValue<N extends SettingName> = ReturnType<(typeof settings)[N]['parse']>;

/** Every variable of design §7 with its purpose, for `--help` and the docs. */
export const configVariables: readonly Omit<Setting<unknown>, 'parse'>[] = Object.values(settings);

function rawValue(environment: Environment, variable: string): string | undefined {
  const file = environment[`${variable}_FILE`];
  if (!file) return environment[variable] || undefined;
  if (environment[variable]) throw new Error(`is given twice: also as ${variable}_FILE`);
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch (error) {
    throw new Error(`could not be read from ${file} (${(error as NodeJS.ErrnoException).code})`);
  }
}

/**
 * Reads the configuration of design §7 from the environment (`NAME` or `NAME_FILE`).
 *
 * @throws {ConfigError} naming every missing or faulty variable at once.
 */
export function readConfig(environment: Environment): Config {
  const faults: ConfigFault[] = [];
  const read = <N extends SettingName>(name: N): SettingValue<N> => {
    const setting: Setting<unknown> = settings[name];
    const { variable, purpose, example } = setting;
    try {
      const text = rawValue(environment, variable) ?? setting.fallback;
      if (text === undefined) throw new Error('is missing');
      return setting.parse(text) as SettingValue<N>;
    } catch (error) {
      faults.push({ variable, problem: (error as Error).message, purpose, example });
      return undefined as SettingValue<N>;
    }
  };
  const config: Config = {
    publicUrl: read('publicUrl'),
    host: read('host'),
    port: read('port'),
    databaseUrl: read('databaseUrl'),
    encryptionKeys: read('encryptionKeys'),
    google: {
      clientId: read('clientId'),
      clientSecret: read('clientSecret'),
      authUrl: read('authUrl'),
      tokenUrl: read('tokenUrl'),
      revokeUrl: read('revokeUrl'),
      userinfoUrl: read('userinfoUrl'),
      apiUrl: read('apiUrl'),
    },
    mail: { smtpUrl: read('smtpUrl'), from: read('mailFrom') },
    bootstrapApiKey: read('bootstrapApiKey'),
    trustProxy: read('trustProxy'),
    logLevel: read('logLevel'),
  };
  if (faults.length > 0) throw new ConfigError(faults);
  return config;
}
