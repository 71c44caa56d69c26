import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestApp, type TestApp } from './support/test-app.ts';

type Json = Record<string, unknown>;
interface Operation {
  readonly summary?: string;
  readonly security?: readonly Json[];
  readonly parameters?: readonly { name: string; in: string; required?: boolean; schema?: Json }[];
  readonly requestBody?: { content: Record<string, { schema: Json }> };
  readonly responses: Record<
    string,
    { description?: string; content?: Record<string, { schema: Json }> }
  >;
}

/** The routes of design §4 that exist, and whether they need a key. */
const routes: readonly [method: string, path: string, keyed: boolean][] = [
  ['get', '/api/calendar/status/{botId}', true],
  ['get', '/api/calendar/slots/{botId}', true],
  ['post', '/api/calendar/hold/{botId}', true],
  ['delete', '/api/calendar/hold/{botId}/{holdId}', true],
  ['post', '/api/calendar/create-event/{botId}', true],
  ['post', '/api/calendar/cancel-event/{botId}/{appointmentId}', true],
  ['post', '/api/calendar/reschedule-event/{botId}/{appointmentId}', true],
  ['get', '/api/activity/{botId}', true],
  ['get', '/api/calendar/appointments/{botId}', true],
  ['get', '/api/calendar/appointments/{botId}/{appointmentId}', true],
  ['post', '/api/calendar/connect/{botId}', true],
  ['delete', '/api/calendar/connect/{botId}', true],
  ['post', '/api/calendar/disconnect/{botId}', true],
  ['post', '/api/bots', true],
  ['get', '/api/bots', true],
  ['get', '/api/bots/{botId}', true],
  ['patch', '/api/bots/{botId}', true],
  ['delete', '/api/bots/{botId}', true],
  ['get', '/api/keys', true],
  ['get', '/api/keys/current', true],
  ['post', '/api/keys', true],
  ['delete', '/api/keys/{keyId}', true],
  ['post', '/api/webhook/appointment', false],
  ['get', '/healthz', false],
  ['get', '/readyz', false],
];

describe('/openapi.json', () => {
  let server: TestApp;
  let document: Json;
  let operations: [name: string, path: string, operation: Operation][];
  beforeAll(async () => {
    server = await openTestApp({ dialect: 'sqlite' });
    document = (await server.call('GET', '/openapi.json', undefined, null)).body;
    operations = Object.entries(
      document.paths as Record<string, Record<string, Operation>>,
    ).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, operation]) =>
          [`${method} ${path}`, path, operation] as (typeof operations)[number],
      ),
    );
  });
  afterAll(() => server.close());

  const everyObject = (value: unknown): Json[] =>
    typeof value !== 'object' || value === null
      ? []
      : [value as Json, ...Object.values(value).flatMap(everyObject)];

  test('is OpenAPI 3.1 with a title and a version', () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(document.info).toMatchObject({
      title: 'Calhook',
      version: expect.stringMatching(/^\d/),
    });
  });

  test('has every route, and no other', () => {
    const wanted = routes.map(([method, path]) => `${method} ${path}`);
    expect(operations.map(([name]) => name).sort()).toEqual(wanted.sort());
  });

  test('says which routes need a key', () => {
    expect(document.components).toMatchObject({
      securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } },
    });
    for (const [method, path, keyed] of routes) {
      const [, , operation] = operations.find(([name]) => name === `${method} ${path}`) ?? [];
      expect(operation?.security, path).toEqual(keyed ? [{ apiKey: [] }] : undefined);
    }
  });

  test('declares every parameter of a path, and responses of valid names with descriptions', () => {
    for (const [name, path, { summary, parameters = [], responses }] of operations) {
      expect(summary, name).toMatch(/^[A-Z]/);
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
      const declared = parameters.filter((parameter) => parameter.in === 'path');
      expect(declared.map((parameter) => parameter.name).sort(), name).toEqual(inPath.sort());
      for (const parameter of parameters) {
        expect(parameter.schema, `${name} ${parameter.name}`).toBeTypeOf('object');
        if (parameter.in === 'path') expect(parameter.required, name).toBe(true);
      }
      expect(Object.keys(responses), name).toEqual(expect.arrayContaining(['4XX', '5XX']));
      for (const [status, response] of Object.entries(responses)) {
        expect(status, name).toMatch(/^([1-5](\d\d|XX)|default)$/);
        expect(response.description, `${name} ${status}`).toBeTypeOf('string');
      }
    }
  });

  test('refers to nothing that is not there', () => {
    const references = everyObject(document)
      .map(({ $ref }) => $ref)
      .filter((reference) => reference !== undefined);
    for (const reference of references) {
      expect(reference).toMatch(/^#\//);
      const target = String(reference)
        .slice(2)
        .split('/')
        .reduce<unknown>((place, step) => (place as Json | undefined)?.[step], document);
      expect(target, String(reference)).toBeTypeOf('object');
    }
  });

  test('describes refusals as problem documents, and deletions as empty', () => {
    for (const [name, , { responses }] of operations) {
      expect(Object.keys(responses['4XX']?.content ?? {}), name).toEqual([
        'application/problem+json',
      ]);
      expect(Object.keys(responses['5XX']?.content ?? {}), name).toEqual([
        'application/problem+json',
      ]);
      if (name.startsWith('delete')) expect(Object.keys(responses), name).toContain('204');
    }
  });

  test('holds plain JSON Schema only', () => {
    for (const { type } of everyObject(document)) {
      if (typeof type !== 'string') continue;
      expect([
        'string',
        'integer',
        'number',
        'boolean',
        'object',
        'array',
        'null',
        'http',
      ]).toContain(type);
    }
    expect(JSON.stringify(document)).not.toMatch(/"~|"nullable"/);
  });

  test('is shown to people at /docs, with the error codes', async () => {
    const docs = await server.send('/docs/');
    expect(docs.status).toBe(200);
    expect(docs.headers.get('content-type')).toContain('text/html');
    const errors = await server.send('/docs/errors');
    expect(errors).toMatchObject({ status: 200 });
    expect(errors.text).toContain('id="slot_unavailable"');
  });
});
