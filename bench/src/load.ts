import { connect } from 'node:net';
import { processorMs } from './processes.ts';

export interface LoadResult {
  /** Answers per second. */
  readonly rate: number;
  /** Median of the time from request to answer, in milliseconds. */
  readonly medianMs: number;
  /** Answers whose status was not the expected one. */
  readonly unexpected: number;
}

export interface ServerLoadResult extends LoadResult {
  /** Processor time that the server takes for an answer, in microseconds. */
  readonly costUs: number;
}

interface LoadOptions {
  readonly port: number;
  readonly connections: number;
  /** How long is measured, in milliseconds, after a quarter of that to warm up. */
  readonly measureMs: number;
  readonly expectedStatus: string;
  /** The next request, whole, as it goes onto the wire. */
  readonly next: () => Buffer;
}

const headEnd = Buffer.from('\r\n\r\n');
const lengthHeader = 'content-length: ';

/**
 * Sends requests over keep-alive connections, one at a time on each, and counts the answers.
 *
 * It reads no more of an answer than its status and length: the usual load generators parse it
 * whole and, on two cores, are themselves what limits a bare server, which would flatter every
 * ratio.
 */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const { port, connections, measureMs, expectedStatus, next } = options;
  const times: number[] = [];
  let answers = 0;
  let unexpected = 0;
  let measuring = false;
  const sockets = Array.from({ length: connections }, () => {
    const socket = connect(port, '127.0.0.1').setNoDelay(true);
    let expected = 0;
    let received = 0;
    let sentAt = 0;
    const send = () => {
      expected = 0;
      received = 0;
      sentAt = performance.now();
      socket.write(next());
    };
    socket.on('connect', send);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      if (expected === 0) {
        const end = chunk.indexOf(headEnd);
        const head = chunk.toString('latin1', 0, end).toLowerCase();
        const at = head.indexOf(lengthHeader);
        expected = end + headEnd.length + Number.parseInt(head.slice(at + lengthHeader.length), 10);
        if (!head.startsWith(`http/1.1 ${expectedStatus}`)) unexpected++;
      }
      received += chunk.length;
      if (received < expected) return;
      if (measuring) {
        answers++;
        // One in sixteen suffices for a median and costs the generator little.
        if (answers % 16 === 0) times.push(performance.now() - sentAt);
      }
      send();
    });
    return socket;
  });
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  await wait(measureMs / 4);
  measuring = true;
  const from = performance.now();
  await wait(measureMs);
  measuring = false;
  const seconds = (performance.now() - from) / 1_000;
  for (const socket of sockets) socket.destroy();
  times.sort((a, b) => a - b);
  return { rate: answers / seconds, medianMs: times[times.length >> 1] ?? 0, unexpected };
}

/** Loads a server; throws unless all of its answers are the expected ones. */
export async function loadServer(pid: number, options: LoadOptions): Promise<ServerLoadResult> {
  const before = processorMs(pid);
  const startedAt = performance.now();
  const result = await load(options);
  const share = (processorMs(pid) - before) / (performance.now() - startedAt);
  if (result.unexpected > 0) {
    throw new Error(`${result.unexpected} answers were not ${options.expectedStatus}`);
  }
  if (result.rate === 0) throw new Error('no answer in time');
  return { ...result, costUs: (share * 1e6) / result.rate };
}

/** One of several loads that are compared, with what was measured of it so far. */
export interface LoadCase extends Pick<LoadOptions, 'connections' | 'expectedStatus' | 'next'> {
  readonly name: string;
  /** Answers per second, by round. */
  readonly rates: number[];
  /** Processor time that the server takes for an answer, by round, in microseconds. */
  readonly costs: number[];
}

export function loadCase(load: Omit<LoadCase, 'rates' | 'costs'>): LoadCase {
  return { ...load, rates: [], costs: [] };
}

/** Loads a server with one case after another; nothing is kept of a round that warms up. */
export async function loadRound(
  cases: readonly LoadCase[],
  server: { readonly pid: number; readonly port: number },
  measureMs: number,
  warmUp: boolean,
): Promise<void> {
  for (const { connections, expectedStatus, next, rates, costs } of cases) {
    const load = { port: server.port, measureMs, connections, expectedStatus, next };
    const { rate, costUs } = await loadServer(server.pid, load);
    if (warmUp) continue;
    rates.push(rate);
    costs.push(costUs);
  }
}
