import type { AddressInfo } from 'node:net';
import { openApp } from './app.ts';
import type { Config } from './config.ts';
import { openLog } from './logger.ts';
import { OperatorError } from './operator-error.ts';

/** A server that listens. */
export interface RunningServer {
  /** Where it listens. */
  readonly url: string;
  /** Finishes the requests under way, then ends everything. */
  stop(): Promise<void>;
}

/** The port is taken, or may not be listened on. */
class ListenError extends OperatorError {
  override readonly name = 'ListenError';
}

/** Says why a port cannot be listened on, in words for the operator. */
export function listenProblem(error: unknown, host: string, port: number): ListenError | null {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    return new ListenError(
      `Port ${port} on ${host} is in use. Stop what uses it, or choose another port.`,
    );
  }
  if (code === 'EACCES') return new ListenError(`Port ${port} on ${host} needs more rights.`);
  return null;
}

/**
 * Starts the server of a configuration.
 *
 * @throws {ListenError} when the port cannot be listened on
 */
export async function startServer(config: Config): Promise<RunningServer> {
  const log = openLog(config.logLevel);
  const app = await openApp(config, { log });
  const { host, port } = config;
  try {
    await app.http.listen({ host, port });
  } catch (error) {
    await app.close();
    throw listenProblem(error, host, port) ?? error;
  }
  await app.start();
  const address = app.http.server.address() as AddressInfo;
  const url = `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
  log.info({ url, publicUrl: config.publicUrl }, 'listening');
  return {
    url,
    async stop() {
      await app.close();
      log.info('stopped');
      log.flush();
    },
  };
}
