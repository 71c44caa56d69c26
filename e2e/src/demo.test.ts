import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connectAs } from '../../apps/server/src/demo/connect-as.ts';
import {
  callDemo,
  demoCommand,
  demoReady,
  directoryForThisTest,
  eventsOf,
  freePorts,
  startForThisTest,
} from './demo-process.ts';
import { nextTuesday } from './next-tuesday.ts';

/** The promise is 5 s on a machine that does nothing else; the test run keeps both cores busy. */
const readyWithinMs = 5_000;
const stoppedWithinMs = 2_000;
const weekdayHours = [{ start: '09:00', end: '17:00' }];

const booking = {
  customerName: 'Alan Turing',
  email: 'alan@example.org',
  date: nextTuesday(),
  time: '10:00',
};

test('is ready in under five seconds, and its last line tells where everything is', async () => {
  const port = await freePorts(3);
  const data = await directoryForThisTest();
  const startedAt = performance.now();
  const running = startForThisTest(
    ...demoCommand('--port', String(port), '--fresh', '--data', data),
  );
  const demo = await demoReady(running);
  const readyAfterMs = performance.now() - startedAt;
  process.stdout.write(`demo ready after ${Math.round(readyAfterMs)} ms\n`);

  expect(readyAfterMs).toBeLessThan(readyWithinMs);
  expect(running.output().stdout.trimEnd().split('\n').at(-1)).toMatch(/^ready \{/);
  expect(running.output().stderr).toBe('');
  expect(Object.keys(demo)).toEqual(['url', 'sandboxUrl', 'siteUrl', 'apiKey', 'botId']);
  expect(demo).toMatchObject({
    url: `http://127.0.0.1:${port}`,
    sandboxUrl: `http://127.0.0.1:${port + 1}`,
    siteUrl: `http://127.0.0.1:${port + 2}`,
  });
  for (const url of [`${demo.url}/readyz`, demo.sandboxUrl, demo.siteUrl]) {
    expect((await fetch(url)).status, url).toBe(200);
  }
  const status = await callDemo(demo, 'GET', `/api/calendar/status/${demo.botId}`);
  expect(status.body).toMatchObject({ connected: true, expired: false });
  const bot = await callDemo(demo, 'GET', `/api/bots/${demo.botId}`);
  expect(bot.body.weeklyHours).toMatchObject({
    monday: weekdayHours,
    tuesday: weekdayHours,
    wednesday: weekdayHours,
    thursday: weekdayHours,
    friday: weekdayHours,
  });
  expect(bot.body.weeklyHours).not.toMatchObject({ saturday: weekdayHours });
});

const start = async (...options: string[]) => {
  const port = await freePorts(3);
  const data = await directoryForThisTest();
  const [command, args] = demoCommand('--port', String(port), '--data', data, ...options);
  return { port, data, command, args };
};

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s stops it, with a booking under way and pages open, and leaves no process',
  async (signal) => {
    const { command, args } = await start();
    const running = startForThisTest(command, args);
    const demo = await demoReady(running);
    // A calendar page that waits for news, connections kept alive, and a Google that never answers.
    const abort = new AbortController();
    onTestFinished(() => abort.abort());
    await fetch(`${demo.sandboxUrl}/sandbox/live`, { signal: abort.signal });
    await fetch(`${demo.sandboxUrl}/sandbox/faults`, {
      method: 'POST',
      body: JSON.stringify({
        route: 'events.insert',
        fault: { kind: 'hang', ms: 3_600_000 },
      }),
    });
    const unanswered = callDemo(
      demo,
      'POST',
      `/api/calendar/create-event/${demo.botId}`,
      booking,
    ).catch(() => null);
    await faultTaken(demo.sandboxUrl);

    running.signal(signal);
    await running.groupGone(stoppedWithinMs);
    await unanswered;
    expect(await running.ended).toEqual({ code: 0, signal: null });
    expect(running.output().stderr).toBe('');
  },
);

/** Waits until the sandbox holds the request that its only fault hits. */
async function faultTaken(sandboxUrl: string): Promise<void> {
  await expect
    .poll(async () => {
      const { faults } = await (await fetch(`${sandboxUrl}/sandbox/faults`)).json();
      return faults[0].hits;
    })
    .toBe(1);
}

test.each(['Ctrl-C to all', 'SIGTERM to npm alone'])('npm run demo ends on %s', async (way) => {
  const { args } = await start();
  const running = startForThisTest('npm', ['run', 'demo', '--', ...args.slice(2)]);
  const demo = await demoReady(running);
  expect((await fetch(demo.siteUrl)).status).toBe(200);
  if (way === 'Ctrl-C to all') running.signalGroup('SIGINT');
  else running.signal('SIGTERM');
  await running.groupGone(stoppedWithinMs);
});

test.each([
  [0, 'server'],
  [1, 'sandbox'],
  [2, 'website'],
])('a busy port %i above the first is one clear line', async (steps) => {
  const { port, command, args } = await start();
  const occupant = await occupy(port + steps);
  const running = startForThisTest(command, args);
  expect(await running.ended).toEqual({ code: 1, signal: null });
  expect(running.output()).toEqual({
    stdout: '',
    stderr: `Port ${port + steps} on 127.0.0.1 is in use. Stop what uses it, or choose another port.\n`,
  });
  await running.groupGone(0);
  expect(occupant.listening).toBe(true);
});

test('a start over beside a running demo fails, and leaves that one its data', async () => {
  const { data, command, args } = await start();
  const demo = await demoReady(startForThisTest(command, args));
  const second = startForThisTest(command, [...args, '--fresh']);
  expect(await second.ended).toMatchObject({ code: 1 });
  expect(existsSync(join(data, 'calhook.db'))).toBe(true);
  const path = `/api/calendar/create-event/${demo.botId}`;
  expect((await callDemo(demo, 'POST', path, booking)).status).toBe(201);
});

async function occupy(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return server;
}

/** The consent of a sandbox in another process. */
function consentOver(sandboxUrl: string): Parameters<typeof connectAs>[0] {
  return {
    async consent(url, choice) {
      const answer = await fetch(`${sandboxUrl}/sandbox/consent`, {
        method: 'POST',
        body: JSON.stringify({ url, ...choice }),
      });
      const { location } = await answer.json();
      return location;
    },
  };
}

test('a second start keeps bots and bookings, on other ports too; --fresh starts over', async () => {
  const { port, data, command, args } = await start();
  const first = startForThisTest(command, args);
  const before = await demoReady(first);
  const made = await callDemo(before, 'POST', '/api/bots', { id: 'bot-second', name: 'Second' });
  expect(made.status).toBe(201);
  const link = await callDemo(before, 'POST', '/api/calendar/connect/bot-second');
  const page = await connectAs(consentOver(before.sandboxUrl), String(link.body.url), {
    account: 'grace@example.com',
  });
  expect(page.status).toBe(200);
  const path = `/api/calendar/create-event/${before.botId}`;
  const kept = await callDemo(before, 'POST', path, booking);
  expect(kept.status).toBe(201);
  first.signal('SIGTERM');
  await first.groupGone(stoppedWithinMs);

  const otherPort = await freePorts(3);
  const second = startForThisTest(...demoCommand('--port', String(otherPort), '--data', data));
  const after = await demoReady(second);
  expect(after.apiKey).toBe(before.apiKey);
  expect((await callDemo(after, 'GET', '/api/bots/bot-second')).status).toBe(200);
  const again = await callDemo(after, 'POST', path, booking);
  expect(again).toMatchObject({ status: 200, body: { replayed: true } });
  const later = await callDemo(after, 'POST', path, { ...booking, time: '11:00' });
  expect(later.status).toBe(201);
  const ofAda = await eventsOf(after.sandboxUrl, 'ada@example.com');
  expect(ofAda.map(({ id }) => id)).toEqual([kept.body.eventId, later.body.eventId]);
  const secondPath = '/api/calendar/create-event/bot-second';
  const bySecond = await callDemo(after, 'POST', secondPath, booking);
  expect(bySecond.status).toBe(201);
  const ofGrace = await eventsOf(after.sandboxUrl, 'grace@example.com');
  expect(ofGrace.map(({ id }) => id)).toEqual([bySecond.body.eventId]);
  const posted = await fetch(`${after.url}/api/webhook/appointment`, {
    method: 'POST',
    headers: { origin: after.siteUrl, 'content-type': 'application/json' },
    body: JSON.stringify({
      botId: after.botId,
      type: 'appointment',
      formData: { fullName: 'Ada', email: 'a@example.org', date: booking.date, time: '12:00' },
    }),
  });
  expect(posted.status).toBe(201);
  second.signal('SIGTERM');
  await second.groupGone(stoppedWithinMs);

  const third = startForThisTest(command, [...args, '--fresh']);
  const fresh = await demoReady(third);
  expect(fresh.url).toBe(`http://127.0.0.1:${port}`);
  expect(fresh.apiKey).not.toBe(before.apiKey);
  expect((await callDemo(fresh, 'GET', '/api/bots/bot-second')).status).toBe(404);
  expect((await callDemo(fresh, 'POST', path, booking)).status).toBe(201);
});
