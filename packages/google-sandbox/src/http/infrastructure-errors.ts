import { STATUS_CODES } from 'node:http';
import { type ApiErrorName, errorBody } from '../calendar/errors.ts';
import { html, json, type Reply } from './reply.ts';

/**
 * The HTML pages that Google's front end shows when something below the API fails; callers that
 * parse every body as JSON trip over them (facts §2 "Infrastructure errors").
 */
export function infrastructurePage(status: number, detail?: string): Reply {
  const name = STATUS_CODES[status] ?? 'Error';
  const text =
    detail ??
    'The server encountered a temporary error and could not complete your request. Please try again in 30 seconds.';
  return html(
    status,
    `<!DOCTYPE html>\n<html lang=en>\n<meta charset=utf-8>\n<title>Error ${status} (${name})!!1</title>\n<p><b>${status}.</b> <ins>That’s an error.</ins>\n<p>${text} <ins>That’s all we know.</ins>\n`,
  );
}

export function notFoundPage(path: string): Reply {
  const shown = path.slice(0, 200).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  return infrastructurePage(
    404,
    `The requested URL <code>${shown}</code> was not found on this server.`,
  );
}

export function tooLargePage(): Reply {
  return infrastructurePage(413, 'Your client issued a request that was too large.');
}

/** A bug of the sandbox itself. The header tells it from an injected 500. */
export function internalError(error: unknown): Reply {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return json(500, errorBody('backendError').body, {
    'x-sandbox-bug': message.replace(/[^\x20-\x7e]/g, '?'),
  });
}

const FAULT_ERRORS: Record<number, ApiErrorName> = {
  401: 'authError',
  403: 'rateLimitExceeded403',
  404: 'notFound',
  410: 'deleted',
  412: 'conditionNotMet',
  429: 'rateLimitExceeded429',
  500: 'backendError',
  503: 'unavailable',
};

/** What Google would most likely say with this status, for a fault that names no body. */
export function defaultFaultBody(path: string, status: number): unknown {
  if (!path.startsWith('/calendar/')) return { error: 'internal_failure' };
  const name = FAULT_ERRORS[status] ?? (status >= 500 ? 'backendError' : 'badRequest');
  const { body } = errorBody(name);
  return { error: { ...body.error, code: status } };
}
