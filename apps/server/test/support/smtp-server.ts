import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { selfSigned } from './self-signed.ts';

/** A mail server that takes one login and no mail (RFC 5321, RFC 3207, RFC 4954). */
export interface SmtpServer {
  readonly port: number;
  /** Every command that came, such as `EHLO`. */
  readonly commands: readonly string[];
  close(): Promise<void>;
}

export interface SmtpServerOptions {
  /** The only login that it accepts. */
  readonly user: string;
  readonly password: string;
  readonly offersTls?: boolean;
  readonly offersLogin?: boolean;
  /** What it greets with; null: it never does. */
  readonly greeting?: string | null;
}

export async function startSmtpServer(options: SmtpServerOptions): Promise<SmtpServer> {
  const { user, password, offersTls = false, offersLogin = true } = options;
  const { greeting = '220 mail ready' } = options;
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  const login = Buffer.from(`\0${user}\0${password}`).toString('base64');

  function converse(socket: Socket, secure: boolean): void {
    const say = (line: string) => socket.write(`${line}\r\n`);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      for (const line of chunk.toString().split('\r\n').filter(Boolean)) {
        const [command = '', , credentials] = line.split(' ');
        commands.push(command);
        if (command === 'EHLO') {
          if (offersTls && !secure) say('250-STARTTLS');
          if (offersLogin) say('250-AUTH PLAIN');
          say('250 mail');
        } else if (command === 'STARTTLS' && offersTls) {
          say('220 go ahead');
          socket.removeAllListeners('data');
          converse(new TLSSocket(socket, { isServer: true, ...selfSigned }), true);
        } else if (command === 'AUTH' && offersLogin) {
          say(credentials === login ? '235 welcome' : '535 wrong user or password');
        } else if (command === 'QUIT') {
          socket.end('221 bye\r\n');
        } else {
          say('502 not known here');
        }
      }
    });
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    if (greeting !== null) socket.write(`${greeting}\r\n`);
    converse(socket, false);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    commands,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
