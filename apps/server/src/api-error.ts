import { type ErrorCode, errorCatalogue, fillSentence } from '@calhook/contract';

type Values = Readonly<Record<string, string | number>>;

interface ApiErrorOptions {
  /** What fills the `{placeholders}` of the sentence. */
  readonly values?: Values;
  /** Further members of the problem document. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the operator has to hear of; goes to the log, never into the answer. */
  readonly cause?: Error;
}

/** A refusal from the catalogue; the front door turns it into an RFC 9457 answer. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ErrorCode;
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, options: ApiErrorOptions = {}) {
    // A refusal is an answer, not a fault: where it was made is of no interest, and costs most of it.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(
      fillSentence(errorCatalogue[code].sentence, options.values ?? {}),
      options.cause && { cause: options.cause },
    );
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.members = options.members ?? {};
    this.headers = options.headers ?? {};
  }

  get status(): number {
    return errorCatalogue[this.code].status;
  }
}

/** The same answer for a bot that does not exist and one that the caller may not see. */
export function botNotFound(): ApiError {
  return new ApiError('bot_not_found', { members: { connected: false, expired: false } });
}
