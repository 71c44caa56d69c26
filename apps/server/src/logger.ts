import pino from 'pino';
import type { Config } from './config.ts';
import { LogFile } from './log-file.ts';

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

const warnLevel = 40;
const standardOutput = 1;

/**
 * The log: one JSON object a line, on standard output, written in batches so that no request waits
 * for the disk. A line of `warn` or above is written at once, with all before it.
 */
export function openLog(level: Config['logLevel']): Logger {
  const file = new LogFile(standardOutput);
  return pino(
    {
      level,
      base: null,
      redact: { paths: redacted.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
      serializers: { err: serializeError },
      hooks: {
        logMethod(args, method, lineLevel) {
          method.apply(this, args);
          if (lineLevel >= warnLevel) file.flush();
        },
      },
    },
    file,
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
