import type { Dispatcher, Pool } from 'undici';

/** An answer of Google, read to its end. */
export interface Answer {
  readonly status: number;
  readonly retryAfter: string | string[] | undefined;
  readonly text: string;
}

/** The time of a call is over; named as the platform names it. */
function timeout(): Error {
  return new DOMException('no answer in time', 'TimeoutError');
}

/**
 * Makes a call and reads its answer, all within `timeoutMs`, the wait for a connection included.
 *
 * undici's own `request` makes a stream of each answer and a signal of each timeout, which takes
 * twice as long; answers of the Calendar API are short texts.
 */
export function exchange(
  pool: Pool,
  request: Dispatcher.DispatchOptions,
  timeoutMs: number,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let call: Dispatcher.DispatchController | undefined;
    let late: Error | undefined;
    const deadline = performance.now() + timeoutMs;
    const expire = () => {
      // Timers count in whole milliseconds, and may be up to two early: who is told then finds time
      // left, and sends the call again.
      const leftMs = deadline - performance.now();
      if (leftMs > 0) {
        timer = setTimeout(expire, leftMs);
        return;
      }
      late = timeout();
      if (call) call.abort(late);
      reject(late);
    };
    let timer = setTimeout(expire, timeoutMs);
    let status = 0;
    let retryAfter: Answer['retryAfter'];
    const chunks: Buffer[] = [];
    pool.dispatch(request, {
      onRequestStart(controller) {
        // What waited too long for a connection is not sent any more.
        if (late) controller.abort(late);
        call = controller;
      },
      onResponseStart(_controller, statusCode, headers) {
        status = statusCode;
        retryAfter = headers['retry-after'];
      },
      onResponseData(_controller, chunk) {
        chunks.push(chunk);
      },
      onResponseEnd() {
        clearTimeout(timer);
        const [first] = chunks;
        const whole = first && chunks.length === 1 ? first : Buffer.concat(chunks);
        resolve({ status, retryAfter, text: whole.toString() });
      },
      onResponseError(_controller, error) {
        clearTimeout(timer);
        reject(error);
      },
    });
  });
}
