import type { ServerResponse } from 'node:http';

const contentType = 'application/json; charset=utf-8';

/**
 * Sends answers at the end of the turn of the event loop in which they were made. Requests that
 * arrive together are then answered together, and a caller with several connections (a proxy, n8n)
 * is woken once instead of once for each of them, which would cost more than the answer itself.
 */
export class Departures {
  #responses: ServerResponse[] = [];
  #answers: string[] = [];
  readonly #isStopping: () => boolean;

  /** @param isStopping whether the server takes no more requests, and connections are to end */
  constructor(isStopping: () => boolean) {
    this.#isStopping = isStopping;
  }

  /** @param answer a JSON text in ASCII */
  add(response: ServerResponse, answer: string): void {
    this.#answers.push(answer);
    if (this.#responses.push(response) === 1) setImmediate(this.#sendAll);
  }

  readonly #sendAll = (): void => {
    const responses = this.#responses;
    const answers = this.#answers;
    this.#responses = [];
    this.#answers = [];
    const isStopping = this.#isStopping();
    for (let i = 0; i < responses.length; i++) {
      const response = responses[i] as ServerResponse;
      const answer = answers[i] as string;
      if (isStopping) response.shouldKeepAlive = false;
      response.writeHead(200, [
        'content-type',
        contentType,
        'content-length',
        String(answer.length),
      ]);
      response.end(answer, 'latin1');
    }
  };
}
