/** Why a peer could not be spoken to, in words for the operator. */
export interface NetworkProblem {
  /** Continues a sentence: "mail.example.com: …". Carries nothing of the request. */
  readonly text: string;
  /** Whether it is the certificate that is refused; the way there is open, then. */
  readonly certificate: boolean;
}

const certificateProblems: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an issuer that nobody knows',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the issuer of its certificate is not known',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate comes without the chain up to a known issuer',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};

const noAnswer = 'no answer in time';
const cut = 'the connection was cut';
const noName = 'its name cannot be resolved';
const noWay = 'there is no way to it';
const noTls = 'it does not speak TLS there';

const problems: Readonly<Record<string, string>> = {
  ENOTFOUND: noName,
  EAI_AGAIN: noName,
  EDNS: noName,
  ECONNREFUSED: 'nothing listens there',
  EHOSTUNREACH: noWay,
  ENETUNREACH: noWay,
  ECONNRESET: cut,
  EPIPE: cut,
  ECONNECTION: cut,
  UND_ERR_SOCKET: cut,
  ETIMEDOUT: noAnswer,
  TimeoutError: noAnswer,
  AbortError: noAnswer,
  UND_ERR_CONNECT_TIMEOUT: noAnswer,
  UND_ERR_HEADERS_TIMEOUT: noAnswer,
  UND_ERR_BODY_TIMEOUT: noAnswer,
  EPROTO: noTls,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
};

interface Failure {
  readonly code?: unknown;
  /** nodemailer puts its own word into `code`, and the system's here. */
  readonly originalCode?: unknown;
  readonly name?: unknown;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

/** The code that says most: `fetch` and the happy-eyeballs of `node:net` wrap the failure. */
function codesOf(error: unknown): string[] {
  if (typeof error !== 'object' || error === null) return [];
  const { code, originalCode, name, cause, errors = [] } = error as Failure;
  return [...[cause, ...errors].flatMap(codesOf), originalCode, code, name].filter(
    (word) => typeof word === 'string',
  );
}

/** Tells a failed connection by its code alone: messages of others may quote what was sent. */
export function networkProblem(error: unknown): NetworkProblem {
  const codes = codesOf(error);
  for (const code of codes) {
    const certificate = certificateProblems[code];
    if (certificate !== undefined) return { text: certificate, certificate: true };
  }
  for (const code of codes) {
    const text = problems[code];
    if (text !== undefined) return { text, certificate: false };
  }
  return { text: `it failed (${codes[0] ?? 'for no known reason'})`, certificate: false };
}
