import { ApiError, errorBody } from '../calendar/errors.ts';
import { ACCESS_ROLES, type AccountSeed, type ClientSeed } from '../directory.ts';
import type { FaultRule } from '../faults.ts';
import { type Answer, empty, json } from '../http/reply.ts';
import type { Route, SandboxRequest } from '../http/router.ts';
import type { SendUpdates } from '../mail/message.ts';
import type { SandboxControls } from '../sandbox-api.ts';
import { SWITCHES, type Switches } from '../switches.ts';
import type { World } from '../world.ts';

type Body = Record<string, unknown>;
type Handler = (input: { body: Body; request: SandboxRequest }) => Answer | Promise<Answer>;

/**
 * Everything the library can do, over HTTP under `/sandbox/`, for tests and pages in another
 * process. Answers 400 with `{error}` when it is asked for something that does not exist.
 */
export function adminRoutes(world: World, sandbox: SandboxControls): Route[] {
  const clockNow = () => json(200, { now: sandbox.clock.now() });

  function route(method: Route['method'], path: string, handler: Handler): Route {
    return {
      name: `sandbox.${path.split('/')[1] ?? 'root'}`,
      method,
      path: `/sandbox${path}`,
      async handle(request) {
        try {
          return await handler({ body: readBody(request), request });
        } catch (error) {
          if (error instanceof ApiError) {
            const { http, body } = errorBody(error.catalogueName, error.overrides);
            return json(http, body);
          }
          if (error instanceof TypeError || error instanceof SyntaxError) {
            return json(400, { error: error.message });
          }
          throw error;
        }
      },
    };
  }

  return [
    route('GET', '/accounts', () => json(200, { accounts: world.directory.accounts() })),
    route('POST', '/accounts', ({ body }) => {
      sandbox.addAccount({ ...body, email: textOf(body, 'email') } as AccountSeed);
      return json(201, world.directory.account(textOf(body, 'email')));
    }),
    route('GET', '/clients', () => json(200, { clients: world.directory.clients() })),
    route('POST', '/clients', ({ body }) => {
      if (!isTextList(body.redirectUris)) throw new TypeError('`redirectUris` is a list of texts.');
      textOf(body, 'clientSecret');
      sandbox.addClient(body as ClientSeed);
      return json(201, world.directory.client(textOf(body, 'clientId')));
    }),
    route('POST', '/consent', async ({ body }) => {
      const url = textOf(body, 'url');
      if (!url.startsWith(`${world.endpoints.authUrl}?`)) {
        throw new TypeError(`\`url\` is an authorization URL of this sandbox.`);
      }
      const untick = body.untick ?? [];
      if (!isTextList(untick)) throw new TypeError('`untick` is a list of scopes.');
      const decision = body.decision === 'deny' ? 'deny' : 'allow';
      try {
        const location = await sandbox.consent(url, {
          account: textOf(body, 'account'),
          decision,
          untick,
        });
        return json(200, { location });
      } catch (error) {
        return json(400, { error: error instanceof Error ? error.message : String(error) });
      }
    }),
    route('GET', '/events', ({ request: { query } }) =>
      json(200, {
        events: sandbox.events(query.get('email') ?? '', query.get('calendarId') ?? undefined),
      }),
    ),
    route('POST', '/events', ({ body }) => {
      const event = body.event;
      if (!isRecord(event)) throw new TypeError('`event` is an object.');
      const calendarId = body.calendarId === undefined ? undefined : textOf(body, 'calendarId');
      const sendUpdates = body.sendUpdates as SendUpdates | undefined;
      return json(200, sandbox.putEvent(textOf(body, 'email'), event, calendarId, sendUpdates));
    }),
    route('POST', '/shares', ({ body }) => {
      const calendarId = textOf(body, 'calendarId');
      const role = [...ACCESS_ROLES, 'none' as const].find((known) => known === body.role);
      if (role === undefined) throw new TypeError(`\`role\` is none, ${ACCESS_ROLES.join(', ')}.`);
      sandbox.share(calendarId, textOf(body, 'email'), role);
      return json(200, { calendarId, role });
    }),
    route('GET', '/channels', () =>
      json(200, {
        channels: sandbox.channels().map(({ grant: _grant, ...channel }) => channel),
      }),
    ),
    route('POST', '/push-idle', async () => {
      await sandbox.pushIdle();
      return empty(204);
    }),
    route('GET', '/mailbox', ({ request: { query } }) =>
      json(200, { messages: sandbox.mailbox(query.get('email') ?? undefined) }),
    ),
    route('DELETE', '/mailbox', () => {
      world.outbox.clear();
      return empty(204);
    }),
    route('GET', '/requests', ({ request: { query } }) => {
      const wanted = query.get('route');
      return json(200, {
        requests: wanted === null ? sandbox.requests : sandbox.requests.of(wanted),
      });
    }),
    route('DELETE', '/requests', () => {
      sandbox.requests.clear();
      return empty(204);
    }),
    route('GET', '/secrets', () => json(200, { secrets: sandbox.issuedSecrets() })),
    route('GET', '/faults', () =>
      json(200, {
        faults: sandbox.faults.list().map(({ id, rule, hits }) => ({ id, ...rule, hits })),
      }),
    ),
    route('POST', '/faults', ({ body }) => {
      const { id } = sandbox.faults.add(body as FaultRule);
      return json(201, { id });
    }),
    route('DELETE', '/faults', () => {
      sandbox.faults.clear();
      return empty(204);
    }),
    route('DELETE', '/faults/:id', ({ request }) => {
      const fault = sandbox.faults.list().find(({ id }) => id === request.params.id);
      if (fault === undefined) throw new TypeError('There is no such fault.');
      fault.remove();
      return empty(204);
    }),
    route('GET', '/clock', clockNow),
    route('POST', '/clock', ({ body }) => {
      const { advance, set } = body;
      if (typeof set === 'number') sandbox.clock.set(set);
      else if (typeof advance === 'number' && advance >= 0) sandbox.clock.advance(advance);
      else throw new TypeError('Give `advance` (ms) or `set` (epoch ms).');
      return clockNow();
    }),
    route('GET', '/switches', () =>
      json(200, {
        switches: Object.fromEntries(
          Object.entries(SWITCHES).map(([name, row]) => [
            name,
            { ...row, value: sandbox.switches[name as keyof Switches] },
          ]),
        ),
      }),
    ),
    route('PATCH', '/switches', ({ body }) => {
      sandbox.set(body as Partial<Switches>);
      return json(200, sandbox.switches);
    }),
    route('POST', '/revoke-grants', ({ body }) => {
      const clientId = body.clientId === undefined ? undefined : textOf(body, 'clientId');
      return json(200, { revoked: sandbox.revokeGrants(textOf(body, 'email'), clientId) });
    }),
  ];
}

function readBody(request: SandboxRequest): Body {
  if (request.body === '') return {};
  const parsed: unknown = JSON.parse(request.body);
  if (!isRecord(parsed)) throw new TypeError('The body is a JSON object.');
  return parsed;
}

function isRecord(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function textOf(body: Body, name: string): string {
  const value = body[name];
  if (typeof value !== 'string' || value === '') throw new TypeError(`\`${name}\` is missing.`);
  return value;
}
