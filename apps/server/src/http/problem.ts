import { type ErrorCode, errorCatalogue, type Problem } from '@calhook/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from '../api-error.ts';
import type { Logger } from '../logger.ts';

/** Where a person finds the meaning of a code. */
const documentation = '/docs/errors';

/** The RFC 9457 document of a refusal. */
export function toProblem(error: ApiError): Problem {
  const { status, title } = errorCatalogue[error.code];
  return {
    success: false,
    code: error.code,
    type: `${documentation}#${error.code}`,
    title,
    status,
    detail: error.message,
    ...error.members,
  };
}

/** Answers with a problem document. */
export function sendProblem(reply: FastifyReply, error: ApiError): FastifyReply {
  return reply
    .code(error.status)
    .headers(error.headers)
    .type('application/problem+json; charset=utf-8')
    .send(JSON.stringify(toProblem(error)));
}

/** What Fastify refuses by itself, in terms of the catalogue. */
const fastifyCodes: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_json',
};

function toApiError(error: unknown): ApiError | null {
  if (error instanceof ApiError) return error;
  const { code, statusCode, message } = error as {
    code?: string;
    statusCode?: number;
    message?: string;
  };
  const known = fastifyCodes[code ?? ''];
  if (known) return new ApiError(known);
  // Other refusals of the framework, such as a body shorter than its Content-Length.
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new ApiError('invalid_request', { values: { reason: message ?? 'malformed request' } });
  }
  return null;
}

/** What an error is for the caller; what the operator has to hear of it is logged. */
export function refusalOf(error: unknown, requestId: string, log: Logger): ApiError {
  const refusal = toApiError(error);
  if (!refusal) {
    log.error({ err: error, requestId }, 'request failed');
    return new ApiError('internal_error', { members: { requestId } });
  }
  const { code: refused, cause: err } = refusal;
  if (err) log.error({ err, refused, requestId }, 'request refused');
  return refusal;
}

/** The error handler of the front door: every error becomes a problem document. */
export function handleError(log: Logger) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply =>
    sendProblem(reply, refusalOf(error, request.id, log));
}
