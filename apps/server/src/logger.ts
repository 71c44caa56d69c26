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

/** Lines are written when this many bytes have gathered, or after a quarter of a second. */
const batchBytes = 32_768;
const flushEveryMs = 250;
const warnLevel = 40;

/**
 * The log: one JSON object a line, written in batches so that no request waits for the disk. A
 * line of `warn` or above is written at once, with all before it.
 */
export function openLog(level: Config['logLevel']): Logger {
  const destination = pino.destination({
    dest: 1,
    sync: false,
    minLength: batchBytes,
    maxWrite: 2 * batchBytes,
    periodicFlush: flushEveryMs,
  });
  return pino(
    {
      level,
      base: null,
      redact: { paths: redacted.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
      serializers: { err: serializeError },
      hooks: {
        logMethod(args, method, lineLevel) {
          method.apply(this, args);
          if (lineLevel >= warnLevel) destination.flush();
        },
      },
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
