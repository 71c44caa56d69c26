import type { MailConfig } from '../config.ts';
import { networkProblem } from '../network-problem.ts';
import { fault, ok, type Verdict, warning } from './finding.ts';
import { isLoopback } from './public-url.ts';

const urlVariable = 'CALHOOK_SMTP_URL';

interface SmtpFailure {
  /** nodemailer's code, or the system's. */
  readonly code?: unknown;
  /** The server's reply, such as 535. */
  readonly responseCode?: unknown;
}

/** Greets the server, logs in and leaves; sends no mail. */
async function greet(smtpUrl: string, requireTLS: boolean, timeoutMs: number): Promise<void> {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    url: smtpUrl,
    requireTLS,
    // A server that offers no login must not pass for one that accepted it.
    forceAuth: new URL(smtpUrl).username !== '',
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
  });
  try {
    await transport.verify();
  } finally {
    transport.close();
  }
}

function judgeFailure(host: string, error: unknown): Verdict {
  const { code, responseCode } = error as SmtpFailure;
  const reply = typeof responseCode === 'number' && responseCode > 0 ? ` (${responseCode})` : '';
  if (code === 'EAUTH') {
    return fault(
      `${host} does not accept the login${reply}`,
      `correct user and password in ${urlVariable}; special characters must be percent-encoded`,
    );
  }
  if (code === 'EPROTOCOL') {
    return fault(
      `${host} does not speak SMTP there${reply}`,
      `correct host and port in ${urlVariable}`,
    );
  }
  const { text, certificate } = networkProblem(error);
  if (certificate) {
    return fault(
      `${host}: ${text}`,
      `give it a certificate that fits, or name it in ${urlVariable} as its certificate does`,
    );
  }
  return fault(
    code === 'ETLS'
      ? `${host} does not agree on TLS${reply}`
      : `${host} cannot be reached: ${text}${reply}`,
    `correct ${urlVariable}: smtps:// goes with port 465, smtp:// with 587; 25 is often blocked`,
  );
}

/** Connects, greets, turns TLS on and logs in, as sending would. */
export async function judgeMailServer(
  { smtpUrl }: MailConfig,
  timeoutMs: number,
): Promise<Verdict> {
  if (smtpUrl === null) return ok('not set; Calhook sends no mail of its own');
  const { host, hostname, protocol, username } = new URL(smtpUrl);
  const onThisMachine = isLoopback(hostname);
  try {
    await greet(smtpUrl, protocol === 'smtp:' && !onThisMachine, timeoutMs);
    const answer = username ? 'accepts the login' : 'answers';
    return ok(onThisMachine ? `${host} ${answer}` : `${host} ${answer}, over TLS`);
  } catch (error) {
    const { code, responseCode } = error as SmtpFailure;
    // What a server without STARTTLS answers to the command.
    const noTls = code === 'ETLS' && typeof responseCode === 'number' && responseCode >= 500;
    if (!noTls) return judgeFailure(host, error);
  }
  try {
    await greet(smtpUrl, false, timeoutMs);
  } catch (error) {
    return judgeFailure(host, error);
  }
  return warning(
    `${host} offers no TLS: login and mail travel in clear`,
    'turn STARTTLS on there, or use a port with TLS (smtps://)',
  );
}

export function judgeSender({ smtpUrl, from }: MailConfig): Verdict {
  if (smtpUrl === null) {
    return from === null
      ? ok('not set')
      : warning('has no effect without a mail server', `set ${urlVariable}, too`);
  }
  return from === null
    ? fault('not set; mail needs a sender', 'set CALHOOK_MAIL_FROM')
    : ok('an address');
}
