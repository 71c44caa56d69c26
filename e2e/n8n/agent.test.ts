import type { CommunityPackage, N8nCredential, N8nWorkflow } from 'local-n8n';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestApp, type TestApp } from '../../apps/server/test/support/test-app.ts';
import {
  httpAgent,
  mcpAgent,
  nodeAgent,
  nodeAgentDescribedByN8n,
} from './support/agent-workflows.ts';
import { askForTimes, bookingMind, takeTime } from './support/booking-mind.ts';
import { buildCalhookNode, calhookApi, packageName } from './support/calhook-node.ts';
import { type ModelStandIn, startModel } from './support/model-stand-in.ts';
import { type N8nForTests, startN8nForTests } from './support/n8n-for-tests.ts';
import { headerAuth } from './support/workflow-files.ts';

const dialects = ['sqlite', 'postgres'] as const;
type Dialect = (typeof dialects)[number];

/** The ways to give an agent the tools of Calhook, and the versions of n8n's agent. */
const agents = [
  ['http-2', 'the HTTP tools of workflows/', httpAgent, 2.2],
  ['http-3', 'the HTTP tools of workflows/', httpAgent, 3.1],
  ['node-2', 'the Calhook node, described by n8n', nodeAgentDescribedByN8n, 2.2],
  ['node-3', 'the Calhook node', nodeAgent, 3.1],
  ['mcp-2', 'the MCP client', mcpAgent, 2.2],
  ['mcp-3', 'the MCP client', mcpAgent, 3.1],
] as const;
type Agent = (typeof agents)[number][0];
const accounts = ['ada@example.com', 'grace@example.com'];
/** Each has a day of its own, since all bots of a database share two calendars. */
const ways = dialects.flatMap((dialect) =>
  agents.map(([agent, what, , version], index) => ({
    dialect,
    agent,
    what,
    version,
    day: `2027-09-${13 + index}`,
  })),
);
const dayOff = '2027-09-20';
const hours = { slotStepMinutes: 60, dateOverrides: [{ date: dayOff, ranges: [] }] };

const apps = {} as Record<Dialect, TestApp>;
const chatPaths: Record<string, string> = {};
let model: ModelStandIn;
let built: CommunityPackage;
let n8n: N8nForTests;
beforeAll(async () => {
  built = await buildCalhookNode();
  model = await startModel(bookingMind);
  const credentials: N8nCredential[] = [
    { id: 'model', name: 'model', type: 'openAiApi', data: { apiKey: 'sk', url: model.url } },
  ];
  const workflows: N8nWorkflow[] = [];
  for (const dialect of dialects) {
    const app = await openTestApp({ dialect });
    apps[dialect] = app;
    // What the notes in the workflows ask for, and no more.
    const scopes = ['slots:read', 'appointments:write'];
    const { body } = await app.call('POST', '/api/keys', { name: 'agent', scopes });
    const secret = String(body.secret);
    credentials.push(
      headerAuth(`header-${dialect}`, secret),
      calhookApi(`node-${dialect}`, app.url, secret),
    );
    for (const [agent, , setUp, version] of agents) {
      const workflow = setUp({
        suffix: `${agent}-${dialect}`,
        version,
        calhookUrl: app.url,
        credentialId: `${agent.startsWith('node') ? 'node' : 'header'}-${dialect}`,
        modelCredentialId: 'model',
      });
      const { webhookId } = workflow.nodes.find(({ name }) => name === 'Chat') ?? {};
      chatPaths[`${agent}-${dialect}`] = `${webhookId}/chat`;
      workflows.push(workflow);
    }
  }
  n8n = await startN8nForTests({
    engine: 'vm',
    credentials,
    workflows,
    communityPackages: { [packageName]: built.directory },
  });
});
afterAll(async () => {
  await n8n?.stop();
  await model?.close();
  await built?.remove();
  for (const app of Object.values(apps)) await app.close();
});

/** Speaks to an agent as the chat on a client's website does. @returns what it answers */
function chatWith(agent: Agent, dialect: Dialect, botId: string) {
  const sessionId = `${agent}-${dialect}-${botId}`;
  return async (chatInput: string): Promise<string> => {
    const message = { action: 'sendMessage', sessionId, chatInput, metadata: { botId } };
    const { status, body } = await n8n.post(String(chatPaths[`${agent}-${dialect}`]), message);
    expect(status).toBe(200);
    return String(body.output);
  };
}

describe.each(ways)('an agent with $what, $version ($dialect)', ({ dialect, agent, day }) => {
  const calhook = () => apps[dialect];
  const bot = (account = 'ada@example.com') => calhook().connectedBot(account, hours);
  const bookedIn = (account: string, name: string) =>
    calhook()
      .sandbox.events(account)
      .filter(({ summary }) => summary?.includes(name));

  test('finds, holds and books, each time in the calendar of the bot that the chat names', async () => {
    for (const account of accounts) {
      const name = `Guest of ${agent} at ${account.slice(0, 3)}`;
      const say = chatWith(agent, dialect, await bot(account));
      const [, second = ''] = (await say(askForTimes(day, day))).split('\n');
      expect(second).toMatch(new RegExp(`^2: ${day} \\d\\d:00$`));
      const time = second.slice(-5);
      expect(await say(takeTime(2, name, 'guest@example.org'))).toMatch(
        new RegExp(`^Booked: .+ September 2027 at ${time} \\(Europe/Berlin\\)$`),
      );
      const [event, another] = accounts.flatMap((any) => bookedIn(any, name));
      expect(another).toBeUndefined();
      expect(bookedIn(account, name)).toEqual([event]);
      expect(event?.attendees).toMatchObject([{ email: 'guest@example.org' }]);
      const start = Date.parse(String(event?.start.dateTime));
      expect(start).toBe(Date.parse(`${day}T${time}:00+02:00`));
    }
  });

  test('tells of a time that was taken meanwhile, and of some that are free', async () => {
    const botId = await bot();
    const say = chatWith(agent, dialect, botId);
    const [first = ''] = (await say(askForTimes(day, day))).split('\n');
    const taken = { date: first.slice(3, 13), time: first.slice(-5) };
    const booking = { ...taken, customerName: 'Kurt Gödel', email: 'kurt@example.org' };
    await calhook().call('POST', `/api/calendar/create-event/${botId}`, booking);
    expect(await say(takeTime(1, 'Who Came Late', 'late@example.org'))).toMatch(
      new RegExp(`^Sorry, .+ ${taken.time} .+ is already taken.+ Free: .+; .+; .+`),
    );
    expect(bookedIn('ada@example.com', 'Who Came Late')).toEqual([]);
  });

  test('is told in words that nothing is free', async () => {
    const say = chatWith(agent, dialect, await bot());
    expect(await say(askForTimes(dayOff, dayOff))).toMatch(
      agent.startsWith('node') ? 'Nothing is free: [{"found":0}]' : /^Nothing is free: .+slots/,
    );
  });

  test('is told why a bot cannot be booked', async () => {
    const botId = await bot();
    const say = chatWith(agent, dialect, botId);
    await say(askForTimes(day, day));
    await calhook().call('POST', `/api/calendar/disconnect/${botId}`);
    expect(await say(takeTime(1, 'Nobody', 'nobody@example.org'))).toBe(
      'Appointments cannot be booked here yet, because no calendar is connected.',
    );
    const sayToNobody = chatWith(agent, dialect, 'bot-nobody');
    expect(await sayToNobody(askForTimes(day, day))).toBe('There is no such bot.');
  });
});

const text = (description: string) => ({ type: 'string', description });
const slot = {
  date: text('date of the slot, YYYY-MM-DD'),
  time: text('time of the slot, HH:mm'),
};
const range = {
  from: text('first date, YYYY-MM-DD'),
  to: text('last date, YYYY-MM-DD'),
};
const booking = {
  holdId: text('the holdId that hold_slot answered'),
  customerName: text('full name of the visitor'),
  email: text('e-mail address of the visitor'),
  ...slot,
};
const written = {
  find_slots: 'Lists free times. Ask it before offering any.',
  hold_slot:
    'Keeps a free time for a few minutes while the visitor gives name and e-mail address. Answers a holdId.',
  book_appointment: 'Books the appointment.',
};
const byN8n = {
  find_slots: 'Get many slots in Calhook',
  hold_slot: 'Hold a slot in Calhook',
  book_appointment: 'Book an appointment in Calhook',
};

test.each([
  ['http-2', written],
  ['http-3', written],
  ['node-2', byN8n],
  ['node-3', written],
] as const)('the model of %s is offered the tools and what they take', async (agent, told) => {
  const say = chatWith(agent, 'sqlite', 'bot-nobody');
  expect(await say('Hello.')).toBe('I do not understand: Hello.');
  const offered = model.questions.at(-1)?.tools ?? [];
  const seen = offered.map(({ name, description, parameters: { properties, required } }) => [
    name,
    { description, properties, required: [...(required ?? [])].sort() },
  ]);
  const tool = (name: keyof typeof written, properties: object) => ({
    description: told[name],
    properties,
    required: Object.keys(properties).sort(),
  });
  expect(Object.fromEntries(seen)).toEqual({
    find_slots: tool('find_slots', range),
    hold_slot: tool('hold_slot', slot),
    book_appointment: tool('book_appointment', booking),
  });
});
