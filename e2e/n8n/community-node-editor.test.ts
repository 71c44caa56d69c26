import {
  CreateBot,
  CreateHold,
  createEventFields,
  RescheduleEvent,
  SlotsQuery,
} from '@calhook/contract';
import type { CommunityPackage } from 'local-n8n';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bookingOf } from '../../apps/server/test/support/bookings.ts';
import {
  bootstrapKey,
  openTestApp,
  type TestApp,
} from '../../apps/server/test/support/test-app.ts';
import {
  botById,
  buildCalhookNode,
  calhookApi,
  nodeType,
  packageName,
  toolType,
} from './support/calhook-node.ts';
import { type N8nForTests, startN8nForTests } from './support/n8n-for-tests.ts';

interface Property {
  readonly name: string;
  readonly type: string;
  readonly options?: readonly Property[];
  readonly displayOptions?: { readonly show: Readonly<Record<string, readonly unknown[]>> };
}
interface NodeDescription {
  readonly name: string;
  readonly description: string;
  readonly properties: readonly Property[];
}

const key = { calhookApi: { id: 'editor', name: 'editor' } };
let calhook: TestApp;
let built: CommunityPackage;
let n8n: N8nForTests;
let botId: string;
beforeAll(async () => {
  built = await buildCalhookNode();
  calhook = await openTestApp({ dialect: 'sqlite' });
  botId = await calhook.connectedBot('ada@example.com', {
    name: 'Lovelace Pianos',
    durationMinutes: 45,
    durationsMinutes: [90, 45],
  });
  n8n = await startN8nForTests({
    engine: 'vm',
    credentials: [calhookApi('editor', calhook.url, bootstrapKey)],
    workflows: [],
    communityPackages: { [packageName]: built.directory },
  });
});
afterAll(async () => {
  await n8n?.stop();
  await built?.remove();
  await calhook?.close();
});

/** What a dropdown of the node asks n8n for. */
function load<T>(
  kind: 'options' | 'resource-locator-results',
  methodName: string,
  further: Record<string, unknown> = {},
): Promise<T> {
  return n8n.rest('POST', `/dynamic-node-parameters/${kind}`, {
    path: `parameters.${methodName}`,
    methodName,
    nodeTypeAndVersion: { name: nodeType, version: 1 },
    currentNodeParameters: { botId: botById(botId) },
    credentials: key,
    ...further,
  });
}

interface Listed {
  readonly results: readonly { readonly name: string; readonly value: string }[];
}

test('the list of bots is loaded, and searched', async () => {
  await calhook.call('POST', '/api/bots', { id: 'bot-hopper', name: 'Hopper Bicycles' });
  const all = await load<Listed>('resource-locator-results', 'searchBots');
  expect(all.results).toHaveLength(2);
  const found = await load<Listed>('resource-locator-results', 'searchBots', { filter: 'BICYC' });
  expect(found.results).toEqual([{ name: 'Hopper Bicycles (bot-hopper)', value: 'bot-hopper' }]);
});

test('the list of appointments is that of the bot, of those that stand', async () => {
  const ids: string[] = [];
  for (const customerName of ['Alan Turing', 'Kurt Gödel']) {
    const path = `/api/calendar/create-event/${botId}`;
    const { body } = await calhook.call('POST', path, bookingOf({ customerName }));
    ids.push(String(body.appointmentId));
  }
  await calhook.call('POST', `/api/calendar/cancel-event/${botId}/${ids[0]}`);
  const { results } = await load<Listed>('resource-locator-results', 'searchAppointments');
  expect(results).toEqual([{ name: expect.stringMatching(/^Kurt Gödel: .+2027/), value: ids[1] }]);
  const none = await load<Listed>('resource-locator-results', 'searchAppointments', {
    filter: 'Turing',
  });
  expect(none.results).toEqual([]);
});

test('the durations are those of the bot', async () => {
  expect(await load('options', 'getDurations')).toEqual([
    { name: '45 Minutes (of the Bot)', value: 45 },
    { name: '90 Minutes', value: 90 },
  ]);
});

test('a list that may not be read says why', async () => {
  const made = await calhook.call('POST', '/api/keys', { name: 'n', scopes: ['slots:read'] });
  const { id } = await n8n.rest<{ id: string }>(
    'POST',
    '/credentials',
    calhookApi('narrow', calhook.url, String(made.body.secret)),
  );
  const credentials = { calhookApi: { id, name: 'narrow' } };
  await expect(load('resource-locator-results', 'searchBots', { credentials })).rejects.toThrow(
    'This API key may not do that; it lacks the scope bots:manage.',
  );
});

/** What n8n says when a credential is saved. */
async function tried(baseUrl: string, apiKey: string): Promise<unknown> {
  const credential = calhookApi('tried', baseUrl, apiKey);
  const { id } = await n8n.rest<{ id: string }>('POST', '/credentials', credential);
  return n8n.rest('POST', '/credentials/test', { credentials: { ...credential, id } });
}

test('a credential is tested: any key of this Calhook is right, whatever its scopes', async () => {
  const made = await calhook.call('POST', '/api/keys', { name: 'n', scopes: ['slots:read'] });
  for (const [url, secret] of [
    [calhook.url, bootstrapKey],
    [`${calhook.url}/`, String(made.body.secret)],
  ] as const) {
    expect(await tried(url, secret)).toMatchObject({ status: 'OK' });
  }
});

test('a credential with another key, or the address of something else, is refused', async () => {
  expect(await tried(calhook.url, `chk_nobody_${'x'.repeat(43)}`)).toEqual({
    status: 'Error',
    message: 'Calhook does not know this API key',
  });
  const elsewhere = { status: 'Error', message: 'There is no Calhook at this Base URL' };
  expect(await tried(`${calhook.url}/nowhere`, bootstrapKey)).toEqual(elsewhere);
  // A web page, which answers everything with 200.
  expect(await tried(`${n8n.url}`, bootstrapKey)).toEqual(elsewhere);
});

test('n8n lists the node as a tool of agents, with the same fields and a description', async () => {
  const listed = await n8n.file<NodeDescription[]>('/types/nodes.json');
  const [node, tool] = [nodeType, toolType].map((type) => listed.find(({ name }) => name === type));
  expect(tool).toMatchObject({
    displayName: 'Calhook Tool',
    inputs: [],
    outputs: ['ai_tool'],
    credentials: [{ name: 'calhookApi', required: true }],
    codex: { categories: ['AI'], subcategories: { AI: ['Tools'], Tools: ['Other Tools'] } },
  });
  const [how, description, ...fields] = tool?.properties ?? [];
  expect(how).toMatchObject({ name: 'descriptionType', default: 'auto' });
  expect(description).toMatchObject({ name: 'toolDescription', default: node?.description });
  expect(fields).toEqual(node?.properties);
});

test('the node has every field of the API and no other', async () => {
  const [node] = await n8n.rest<NodeDescription[]>('POST', '/node-types', {
    nodeInfos: [{ name: nodeType, version: 1 }],
  });
  const properties = node?.properties ?? [];
  const choices = new Set(['resource', 'operation', 'botId', 'appointmentId']);
  /** The fields of an operation, those of its collections in their place. */
  const fields = (resource: string, operation: string) =>
    properties
      .filter(({ name, displayOptions }) => {
        const { resource: resources, operation: operations } = displayOptions?.show ?? {};
        const shown = !operations || operations.includes(operation);
        return !choices.has(name) && resources?.includes(resource) && shown;
      })
      .flatMap((field) => (field.type === 'collection' ? (field.options ?? []) : [field]))
      .map(({ name }) => name)
      .sort();
  const without = (names: readonly string[], ...left: string[]) =>
    names.filter((name) => !left.includes(name)).sort();

  expect(fields('appointment', 'book')).toEqual(
    // fullName is another name of customerName; the key travels as a header.
    [...without(createEventFields, 'fullName'), 'idempotencyKey'].sort(),
  );
  expect(fields('appointment', 'reschedule')).toEqual(
    without(Object.keys(RescheduleEvent.properties)),
  );
  expect(fields('hold', 'create')).toEqual(without(Object.keys(CreateHold.properties)));
  expect(fields('slot', 'getAll')).toEqual(
    [...Object.keys(SlotsQuery.properties), 'returnAll'].sort(),
  );
  const settings = Object.keys(CreateBot.properties);
  expect(fields('bot', 'create').filter((name) => !settings.includes(name))).toEqual([]);
});
