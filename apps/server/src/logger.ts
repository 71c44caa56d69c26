import pino from 'pino';
import type { Config } from './config.ts';

/** What the rooms log with. */
export type Logger = pino.Logger;

/** Names under which secrets and customer data would appear; cut even where nobody should log them. */
const redacted = [
  'access_token',
  'refresh_token',
  'id_token',
  'code',
  'code_verifier',
  'client_secret',
  'authorization',
  'cookie',
  'email',
  'phone',
];

/**
 * The log: one JSON object a line, written in batches so that a request never waits for the disk.
 * Lines of `warn` and above are written at once; what is buffered is written at exit.
 */
export function openLog(level: Config['logLevel']): Logger {
  const destination = pino.destination({
    dest: 1,
    sync: false,
    minLength: 4_096,
    periodicFlush: 250,
  });
  return pino(
    {
      level,
      base: null,
      redact: { paths: redacted.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
      serializers: { err: serializeError },
    },
    destination,
  );
}

/**
 * Name, message and stack only. Errors of HTTP clients carry requests with tokens in their other
 * fields (facts/google.md §6), so those never reach the log.
 */
function serializeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: 'not an Error' };
  return { type: error.name, message: error.message, stack: error.stack };
}
