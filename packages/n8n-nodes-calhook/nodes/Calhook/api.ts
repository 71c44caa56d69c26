import {
  type IDataObject,
  type IExecuteFunctions,
  type IHttpRequestMethods,
  type ILoadOptionsFunctions,
  type JsonObject,
  NodeApiError,
} from 'n8n-workflow';

/** What runs a node, or fills its dropdowns. */
export type Context = IExecuteFunctions | ILoadOptionsFunctions;

export interface CalhookRequest {
  readonly method: IHttpRequestMethods;
  readonly path: string;
  readonly query?: IDataObject;
  readonly body?: IDataObject;
  readonly headers?: Readonly<Record<string, string>>;
  /** The item that it is made for, so that n8n shows which one failed. */
  readonly itemIndex?: number;
}

/** The document (RFC 9457) with which Calhook refuses. */
export interface Problem extends IDataObject {
  success: false;
  code: string;
  detail: string;
  status: number;
}

/** While Google is in trouble, a booking is tried for about 8 seconds. */
const timeoutMs = 30_000;
const pageSize = 200;

/**
 * Calls Calhook with the credential of the node.
 *
 * @throws NodeApiError that says what Calhook said, when it refuses
 */
export async function callCalhook(
  context: Context,
  { method, path, query, body, headers, itemIndex }: CalhookRequest,
): Promise<IDataObject> {
  const credentials = await context.getCredentials('calhookApi', itemIndex ?? 0);
  const baseUrl = String(credentials.baseUrl).trim().replace(/\/+$/, '');
  const response = await context.helpers.httpRequestWithAuthentication.call(context, 'calhookApi', {
    method,
    url: `${baseUrl}${path}`,
    json: true,
    timeout: timeoutMs,
    returnFullResponse: true,
    ignoreHttpStatusErrors: true,
    ...(query ? { qs: query } : {}),
    ...(body ? { body } : {}),
    ...(headers ? { headers } : {}),
  });
  const { statusCode, body: answer } = response as { statusCode: number; body: unknown };
  const document = isObject(answer) ? answer : parsed(answer);
  if (statusCode >= 200 && statusCode < 300) return document;
  throw refusal(context, baseUrl, statusCode, document, itemIndex);
}

/** All members of a list that comes in pages, or the first `limit` of them. */
export async function callForAll(
  context: Context,
  request: Omit<CalhookRequest, 'method' | 'query'>,
  list: 'bots' | 'appointments',
  limit: number,
): Promise<IDataObject[]> {
  const members: IDataObject[] = [];
  let cursor: unknown = null;
  do {
    const query: IDataObject = { limit: Math.min(pageSize, limit - members.length) };
    if (typeof cursor === 'string') query.cursor = cursor;
    const page = await callCalhook(context, { ...request, method: 'GET', query });
    members.push(...(page[list] as IDataObject[]));
    cursor = page.nextCursor;
  } while (cursor !== null && members.length < limit);
  return members;
}

/** What Calhook said when it refused; null for any other error. */
export function problemOf(error: unknown): Problem | null {
  const problem = error instanceof NodeApiError ? error.context.problem : null;
  return isObject(problem) ? (problem as Problem) : null;
}

function refusal(
  context: Context,
  baseUrl: string,
  statusCode: number,
  document: IDataObject,
  itemIndex: number | undefined,
): NodeApiError {
  const { code, detail } = document;
  const isProblem = typeof code === 'string' && typeof detail === 'string';
  const message = isProblem ? detail : `Calhook cannot be reached: HTTP ${statusCode}`;
  const error = new NodeApiError(context.getNode(), document as JsonObject, {
    message,
    description: isProblem
      ? whatToDo(baseUrl, document as Problem)
      : `${baseUrl} answered, but not as Calhook does. Check the Base URL of the credential.`,
    httpCode: String(statusCode),
    ...(itemIndex === undefined ? {} : { itemIndex }),
  });
  // n8n turns some words of messages into its own sentences; this one is for visitors.
  error.message = message;
  if (isProblem) error.context.problem = document;
  return error;
}

/** What helps the author of the workflow: the faulty fields, times that are free, and the code. */
function whatToDo(baseUrl: string, { code, type, errors, alternatives }: Problem): string {
  const lines = listOf(errors).map(({ field, message }) => `${field}: ${message}.`);
  const free = listOf(alternatives).map(({ label, start }) => `${label} (${start})`);
  if (free.length > 0) lines.push(`Free: ${free.join('; ')}.`);
  lines.push(`Code ${code}; what to do: ${baseUrl}${type}`);
  return lines.join(' ');
}

function isObject(value: unknown): value is IDataObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listOf(value: unknown): IDataObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** Problem documents come as text from some versions of n8n; an empty answer is an empty object. */
function parsed(text: unknown): IDataObject {
  if (typeof text !== 'string' || !text.startsWith('{')) return {};
  try {
    return JSON.parse(text) as IDataObject;
  } catch {
    return {};
  }
}
