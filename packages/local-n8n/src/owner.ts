/** How long n8n may take for one answer, in milliseconds. */
const answerWithinMs = 30_000;

type Rest = <T>(method: string, path: string, body?: object) => Promise<T>;

interface SignedIn {
  /** Calls the API of the editor. */
  readonly rest: Rest;
  /** Reads a JSON file that the editor is served. */
  file<T>(path: string): Promise<T>;
}

/** Signs in as the owner of an n8n, whose account is made when there is none yet. */
export async function signIn(
  url: string,
  owner: { readonly email: string; readonly password: string },
): Promise<SignedIn> {
  const send = (method: string, path: string, body: object | undefined, cookie: string) =>
    fetch(`${url}${path}`, {
      method,
      headers: { 'content-type': 'application/json', cookie },
      signal: AbortSignal.timeout(answerWithinMs),
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  const setUp = await send(
    'POST',
    '/rest/owner/setup',
    { ...owner, firstName: 'Calhook', lastName: 'Demo' },
    '',
  );
  const signedIn = setUp.ok
    ? setUp
    : await send(
        'POST',
        '/rest/login',
        { emailOrLdapLoginId: owner.email, password: owner.password },
        '',
      );
  if (!signedIn.ok) throw new Error(`n8n: sign-in: ${signedIn.status} ${await signedIn.text()}`);
  const cookie = signedIn.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
  const read = async (method: string, path: string, body?: object) => {
    const response = await send(method, path, body, cookie);
    const text = await response.text();
    if (!response.ok) throw new Error(`n8n: ${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  };
  return {
    rest: async (method, path, body) => (await read(method, `/rest${path}`, body)).data,
    file: (path) => read('GET', path),
  };
}
