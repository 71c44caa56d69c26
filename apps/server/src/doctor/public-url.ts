import { isIP } from 'node:net';
import { networkProblem } from '../network-problem.ts';
import { fault, ok, type Verdict, warning } from './finding.ts';

const variable = 'CALHOOK_PUBLIC_URL';

/** Names that no public domain ends in (RFC 2606, RFC 6762, RFC 8375, and ICANN's `internal`). */
const privateName = /(^|\.)(test|example|invalid|local|localdomain|lan|internal|home\.arpa)$/;

export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    (isIP(hostname) === 4 && hostname.startsWith('127.'))
  );
}

/**
 * Whether Google takes a redirect URI under this origin. Its rules: HTTPS but for localhost, no IP
 * address but localhost's, a host under a public domain
 * (https://developers.google.com/identity/protocols/oauth2/web-server, Redirect URI validation).
 */
export function judgePublicUrl(publicUrl: string): Verdict {
  const { protocol, hostname } = new URL(publicUrl);
  if (isLoopback(hostname)) return ok(`${publicUrl}, for browsers on this machine alone`);
  if (protocol === 'http:') {
    return fault(
      `${publicUrl} is not HTTPS; Google allows that on this machine alone`,
      `put a reverse proxy with TLS in front, and start ${variable} with https://`,
    );
  }
  if (isIP(hostname.replace(/^\[|\]$/g, '')) > 0) {
    return fault(
      `${publicUrl} is an IP address, which Google does not take`,
      `give ${variable} a host name`,
    );
  }
  if (!hostname.includes('.') || privateName.test(hostname)) {
    return fault(
      `${publicUrl} is not under a public domain; Google takes no other`,
      `give ${variable} a name under a domain of yours; it may lead to a private address`,
    );
  }
  return ok(`${publicUrl}, over HTTPS`);
}

/** Whether this server is what answers under the public URL, seen from this machine. */
export async function judgeReachable(publicUrl: string, timeoutMs: number): Promise<Verdict> {
  let status: number;
  let body: string;
  let location: string | null;
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(`${publicUrl}/readyz`, { redirect: 'manual', signal });
    status = response.status;
    location = response.headers.get('location');
    body = (await response.text()).slice(0, 1_000);
  } catch (error) {
    const { text, certificate } = networkProblem(error);
    return certificate
      ? fault(
          `${publicUrl} is refused by browsers: ${text}`,
          'give the reverse proxy a certificate that browsers accept, with its whole chain',
        )
      : warning(
          `${publicUrl} cannot be reached from this machine: ${text}`,
          'start Calhook; see to DNS, firewall and reverse proxy; open it in a browser elsewhere',
        );
  }
  if (status >= 300 && status < 400) {
    const target = URL.parse(location ?? '', publicUrl)?.origin ?? 'nowhere';
    return fault(
      `${publicUrl} redirects to ${target}`,
      target === publicUrl
        ? 'let everybody through to Calhook: owners and Google have no account of yours'
        : `set ${variable} to the origin that answers itself`,
    );
  }
  if (status === 200 && isReady(body)) return ok(`Calhook answers under ${publicUrl}`);
  if (status >= 500) {
    return warning(
      `${publicUrl} answers ${status}`,
      'start Calhook, or see its log; a reverse proxy must lead to CALHOOK_HOST and CALHOOK_PORT',
    );
  }
  return fault(
    `something else than Calhook answers under ${publicUrl} (${status})`,
    `correct ${variable}, or lead the reverse proxy to CALHOOK_HOST and CALHOOK_PORT`,
  );
}

function isReady(body: string): boolean {
  try {
    return (JSON.parse(body) as { status?: unknown } | null)?.status === 'ready';
  } catch {
    return false;
  }
}
