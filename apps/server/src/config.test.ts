import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError, configVariables, readConfig } from './config.ts';

const key = Buffer.alloc(32, 1).toString('base64');
const complete = {
  CALHOOK_PUBLIC_URL: 'https://calendar.example.com',
  CALHOOK_ENCRYPTION_KEYS: `k1:${key}`,
  CALHOOK_GOOGLE_CLIENT_ID: 'id',
  CALHOOK_GOOGLE_CLIENT_SECRET: 'secret',
};

function faultsOf(environment: Record<string, string>) {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  return null;
}

describe('the configuration', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'calhook-config-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));
  const fileWith = (content: string) => {
    const path = join(directory, `${content.length}`);
    writeFileSync(path, content);
    return path;
  };

  test('needs four settings, and defaults the rest to a SQLite file and to Google', () => {
    expect(readConfig(complete)).toEqual({
      publicUrl: 'https://calendar.example.com',
      host: '127.0.0.1',
      port: 8080,
      databaseUrl: 'sqlite:./data/calhook.db',
      encryptionKeys: [{ id: 'k1', bytes: Buffer.alloc(32, 1) }],
      google: {
        clientId: 'id',
        clientSecret: 'secret',
        authUrl: 'https://accounts.google.com/o/oauth2/v2/auth',
        tokenUrl: 'https://oauth2.googleapis.com/token',
        revokeUrl: 'https://oauth2.googleapis.com/revoke',
        userinfoUrl: 'https://openidconnect.googleapis.com/v1/userinfo',
        apiUrl: 'https://www.googleapis.com',
      },
      mail: { smtpUrl: null, from: null },
      bootstrapApiKey: null,
      trustProxy: false,
      logLevel: 'info',
    });
  });

  test('tells everything that is missing at once, with what for and an example', () => {
    const error = faultsOf({});
    expect(error?.faults.map(({ variable }) => variable)).toEqual(Object.keys(complete));
    expect(error?.message).toContain('4 settings');
    for (const { variable, purpose, example } of error?.faults ?? []) {
      expect(error?.message).toContain(`${variable} is missing`);
      expect(error?.message).toContain(`what for: ${purpose}`);
      expect(error?.message).toContain(`${variable}=${example}`);
    }
  });

  test.each([
    ['CALHOOK_PUBLIC_URL', 'calendar.example.com', 'is not a URL'],
    ['CALHOOK_PUBLIC_URL', 'ftp://calendar.example.com', 'is not a URL'],
    ['CALHOOK_PUBLIC_URL', 'https://example.com/calendar', 'must be an origin only'],
    ['CALHOOK_PUBLIC_URL', 'https://user@example.com', 'must be an origin only'],
    ['CALHOOK_PORT', 'http', 'must be a number'],
    ['CALHOOK_PORT', '65536', 'must be a number'],
    ['CALHOOK_PORT', '-1', 'must be a number'],
    ['CALHOOK_DATABASE_URL', 'mysql://localhost', 'must start with sqlite: or postgres://'],
    ['CALHOOK_DATABASE_URL', 'sqlite:', 'must start with sqlite: or postgres://'],
    ['CALHOOK_ENCRYPTION_KEYS', key, 'must list keys as id:base64'],
    ['CALHOOK_ENCRYPTION_KEYS', 'k1:', 'of 0 bytes'],
    ['CALHOOK_ENCRYPTION_KEYS', `k1:${Buffer.alloc(16).toString('base64')}`, 'of 16 bytes'],
    ['CALHOOK_ENCRYPTION_KEYS', `k1:${key},k1:${key}`, 'same key id twice'],
    ['CALHOOK_ENCRYPTION_KEYS', `k.1:${key}`, 'must list keys as id:base64'],
    ['CALHOOK_ENCRYPTION_KEYS', `k1:${key},`, 'must list keys as id:base64'],
    ['CALHOOK_GOOGLE_TOKEN_URL', 'localhost:4002', 'is not a URL'],
    ['CALHOOK_SMTP_URL', 'mail.example.com:587', 'is not a URL that starts with smtp:'],
    ['CALHOOK_SMTP_URL', 'smtp://', 'names no host'],
    ['CALHOOK_MAIL_FROM', 'Calendar', 'must be an address'],
    ['CALHOOK_MAIL_FROM', 'Ada <ada@example.com>, bob@example.com', 'must be an address'],
    ['CALHOOK_BOOTSTRAP_API_KEY', 'secret', 'must look like chk_'],
    ['CALHOOK_BOOTSTRAP_API_KEY', `chk_boot_${'x'.repeat(43)}`, 'must look like chk_'],
    ['CALHOOK_TRUST_PROXY', 'yes', 'must be one of true, false'],
    ['CALHOOK_LOG_LEVEL', 'loud', 'must be one of fatal'],
  ])('refuses %s=%s', (variable, value, problem) => {
    const error = faultsOf({ ...complete, [variable]: value });
    expect(error?.faults).toEqual([
      expect.objectContaining({ variable, problem: expect.stringContaining(problem) }),
    ]);
  });

  test('tells faults and omissions together', () => {
    const error = faultsOf({ CALHOOK_PORT: 'x', CALHOOK_LOG_LEVEL: 'x' });
    expect(error?.faults).toHaveLength(6);
  });

  test('says nothing of the values of secrets', () => {
    const error = faultsOf({
      ...complete,
      CALHOOK_ENCRYPTION_KEYS: 'k1:c2hvcnRzZWNyZXQ=',
      CALHOOK_BOOTSTRAP_API_KEY: 'chk_short_hush',
      CALHOOK_SMTP_URL: 'smpt://calhook:sesame@mail.example.com',
    });
    expect(error?.faults).toHaveLength(3);
    expect(error?.message).not.toMatch(/c2hvcnRzZWNyZXQ|hush|sesame/);
  });

  test.each(configVariables.map(({ variable }) => variable))(
    '%s may be given as a file',
    (variable) => {
      const given: Record<string, string> = {
        ...complete,
        CALHOOK_HOST: '0.0.0.0',
        CALHOOK_PORT: '9',
        CALHOOK_DATABASE_URL: 'postgres://localhost/calhook',
        CALHOOK_SMTP_URL: 'smtps://calhook:sesame@mail.example.com',
        CALHOOK_MAIL_FROM: 'Calendar <calendar@example.com>',
        CALHOOK_BOOTSTRAP_API_KEY: `chk_bootstrap_${'x'.repeat(43)}`,
        CALHOOK_TRUST_PROXY: 'true',
        CALHOOK_LOG_LEVEL: 'debug',
      };
      const { [variable]: value = 'https://google.example', ...others } = given;
      const direct = readConfig({ ...others, [variable]: value });
      expect(readConfig({ ...others, [`${variable}_FILE`]: fileWith(`${value}\n`) })).toEqual(
        direct,
      );
      expect(direct).not.toEqual(readConfig({ ...complete }));
    },
  );

  test('refuses a setting that is given twice, and a file that is not there', () => {
    const twice = faultsOf({ ...complete, CALHOOK_PORT: '1', CALHOOK_PORT_FILE: fileWith('1') });
    expect(twice?.faults[0]?.problem).toBe('is given twice: also as CALHOOK_PORT_FILE');
    const missing = faultsOf({ ...complete, CALHOOK_PORT_FILE: join(directory, 'none') });
    expect(missing?.faults[0]?.problem).toContain('(ENOENT)');
    const { CALHOOK_GOOGLE_CLIENT_ID: _, ...others } = complete;
    const empty = faultsOf({ ...others, CALHOOK_GOOGLE_CLIENT_ID_FILE: fileWith('') });
    expect(empty?.faults[0]?.problem).toBe('is missing');
  });

  test('every example is one that is accepted', () => {
    const shellExamples = /\$\(/;
    const examples = configVariables.filter(({ example }) => !shellExamples.test(example));
    expect(examples.length).toBeGreaterThan(10);
    const environment = Object.fromEntries(
      examples.map(({ variable, example }) => [variable, example]),
    );
    expect(faultsOf({ ...complete, ...environment })).toBeNull();
  });
});
