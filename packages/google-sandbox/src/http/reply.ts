import type { ServerResponse } from 'node:http';

/** An answer that is complete before it is sent. */
export type Reply = {
  status: number;
  contentType?: string;
  headers?: Record<string, string>;
  body: string;
};

/** An answer that stays open (server-sent events). */
export type StreamReply = { status: 200; stream: (response: ServerResponse) => void };

export type Answer = Reply | StreamReply;

const JSON_TYPE = 'application/json; charset=UTF-8';

export function json(status: number, value: unknown, headers?: Record<string, string>): Reply {
  const reply: Reply = { status, contentType: JSON_TYPE, body: JSON.stringify(value) };
  if (headers) reply.headers = headers;
  return reply;
}

export function html(status: number, page: string, headers?: Record<string, string>): Reply {
  return {
    status,
    contentType: 'text/html; charset=utf-8',
    headers: { 'cache-control': 'no-store', ...headers },
    body: page,
  };
}

export function redirect(location: string, headers?: Record<string, string>): Reply {
  return { status: 302, headers: { location, 'cache-control': 'no-store', ...headers }, body: '' };
}

export function empty(status: 204 | 304, headers?: Record<string, string>): Reply {
  return headers ? { status, headers, body: '' } : { status, body: '' };
}
