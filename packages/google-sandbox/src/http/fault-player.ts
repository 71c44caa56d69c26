import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorBody } from '../calendar/errors.ts';
import type { Clock } from '../clock.ts';
import type { Fault } from '../faults.ts';
import { defaultFaultBody, infrastructurePage } from './infrastructure-errors.ts';
import { type Answer, json, type Reply } from './reply.ts';

type Exchange = {
  path: string;
  incoming: IncomingMessage;
  response: ServerResponse;
  /** Does what the request asks for. */
  work(): Promise<Answer>;
  /** Sends an answer whole. */
  deliver(answer: Answer): void;
};

export type FaultPlayer = {
  play(fault: Fault, exchange: Exchange): Promise<void>;
  /** Stops every fault that still runs. */
  close(): void;
};

/** How often a slow body sends its next bytes (real milliseconds). */
const SLOW_STEP_MS = 50;

/** Plays the faults of faults.ts on a connection. */
export function createFaultPlayer(clock: Clock): FaultPlayer {
  const dripping = new Set<NodeJS.Timeout>();

  function drip(response: ServerResponse, reply: Reply, bytesPerSecond: number): void {
    const body = Buffer.from(reply.body);
    const step = Math.max(1, Math.floor((bytesPerSecond * SLOW_STEP_MS) / 1000));
    response.writeHead(reply.status, {
      ...reply.headers,
      'content-type': reply.contentType ?? 'text/plain',
      'content-length': body.length,
    });
    response.flushHeaders();
    let sent = 0;
    const stop = () => {
      clearInterval(timer);
      dripping.delete(timer);
    };
    const timer = setInterval(() => {
      response.write(body.subarray(sent, sent + step));
      sent += step;
      if (sent >= body.length) {
        stop();
        response.end();
      }
    }, SLOW_STEP_MS);
    dripping.add(timer);
    response.once('close', stop);
  }

  function holdUntil(due: number, response: ServerResponse): Promise<'over' | 'caller-gone'> {
    return new Promise((resolve) => {
      const cancel = clock.schedule(due, () => resolve('over'));
      response.once('close', () => {
        cancel();
        resolve('caller-gone');
      });
    });
  }

  async function play(fault: Fault, exchange: Exchange): Promise<void> {
    const { deliver, work, incoming, response } = exchange;
    switch (fault.kind) {
      case 'status':
        return deliver(statusReply(fault, exchange.path));
      case 'apiError': {
        const { http, body } = errorBody(fault.name);
        return deliver(json(http, body));
      }
      case 'html':
        return deliver(infrastructurePage(fault.status));
      case 'oauthError':
        return deliver(oauthErrorReply(fault));
      case 'reset':
        incoming.socket.resetAndDestroy();
        return;
      case 'hang':
        if ((await holdUntil(clock.now() + fault.ms, response)) === 'over') deliver(await work());
        return;
      case 'commitThenDrop':
        await work();
        incoming.socket.destroy();
        return;
      case 'truncated': {
        const answer = await work();
        deliver('stream' in answer ? answer : { ...answer, body: firstHalf(answer.body) });
        return;
      }
      case 'slow': {
        const answer = await work();
        if ('stream' in answer) deliver(answer);
        else drip(response, answer, fault.bytesPerSecond);
      }
    }
  }

  return {
    play,
    close() {
      for (const timer of dripping) clearInterval(timer);
      dripping.clear();
    },
  };
}

function statusReply(fault: Extract<Fault, { kind: 'status' }>, path: string): Reply {
  const headers = fault.headers ?? {};
  if (typeof fault.body === 'string') {
    return {
      status: fault.status,
      headers,
      contentType: 'text/plain; charset=utf-8',
      body: fault.body,
    };
  }
  return json(fault.status, fault.body ?? defaultFaultBody(path, fault.status), headers);
}

function oauthErrorReply(fault: Extract<Fault, { kind: 'oauthError' }>): Reply {
  const body: Record<string, string> = {
    error: fault.error,
    error_description: fault.description ?? 'Bad Request',
  };
  if (fault.subtype !== undefined) body.error_subtype = fault.subtype;
  return json(fault.status ?? 400, body);
}

function firstHalf(text: string): string {
  return text.slice(0, Math.floor(text.length / 2));
}
