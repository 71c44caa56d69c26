import type { calendar_v3 } from '@googleapis/calendar';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sandbox } from '../../src/index.ts';
import {
  ADA,
  BEFORE_MONDAY,
  BOB,
  connect,
  halfHour,
  insertPrimary,
  MONDAY,
  reasonOf,
  startTestSandbox,
} from '../google-client.ts';

let sandbox: Sandbox;
let api: calendar_v3.Calendar;
beforeAll(async () => {
  sandbox = await startTestSandbox({ now: BEFORE_MONDAY });
  ({ api } = await connect(sandbox));
});
afterAll(() => sandbox.close());

const insert = (
  requestBody: Record<string, unknown>,
  more?: calendar_v3.Params$Resource$Events$Insert,
) => insertPrimary(api, requestBody, more);

describe('E. events.insert', () => {
  test('42 every field that callers write comes back', async () => {
    const fields = {
      summary: 'Cut & colour “deluxe”',
      description: 'Line one\nLine two <b>bold</b>',
      location: 'Unter den Linden 1, Berlin',
      colorId: '11',
      transparency: 'transparent',
      visibility: 'private',
      recurrence: [
        'RRULE:FREQ=WEEKLY;COUNT=3;BYDAY=MO',
        'EXDATE;TZID=Europe/Berlin:20270118T090000',
      ],
      extendedProperties: { private: { bot: 'bot-17' }, shared: { form: 'v2' } },
      guestsCanInviteOthers: false,
      guestsCanModify: true,
      guestsCanSeeOtherGuests: false,
      anyoneCanAddSelf: true,
      source: { title: 'Calhook', url: 'https://calhook.example/a/17' },
      reminders: {
        useDefault: false,
        overrides: [
          { method: 'email', minutes: 1440 },
          { method: 'popup', minutes: 0 },
          { method: 'popup', minutes: 40_320 },
        ],
      },
      attachments: [{ fileUrl: 'https://files.example/plan.pdf', title: 'Plan' }],
    };
    const times = {
      start: { dateTime: '2027-01-11T09:00:00', timeZone: 'Europe/Berlin' },
      end: { dateTime: '2027-01-11T10:00:00', timeZone: 'Europe/Berlin' },
    };
    const made = await insert({ ...fields, ...times }, { supportsAttachments: true });
    expect(made).toMatchObject(fields);
    const { data } = await api.events.get({ calendarId: 'primary', eventId: made.id ?? '' });
    expect(data).toEqual(made);

    // Defaults are left out, as Google leaves them out.
    const plain = await insert({
      ...times,
      transparency: 'opaque',
      visibility: 'default',
      guestsCanInviteOthers: true,
      guestsCanModify: false,
      guestsCanSeeOtherGuests: true,
    });
    for (const name of Object.keys(fields)) {
      if (name !== 'reminders') expect(plain).not.toHaveProperty(name);
    }
    const wrongs = [
      { colorId: '12' },
      { visibility: 'secret' },
      { summary: 7 },
      { recurrence: ['RRULE:FREQ=SOMETIMES'] },
      { source: { url: 'javascript:alert(1)' } },
      { eventType: 'fromGmail' },
    ];
    for (const wrong of wrongs) {
      expect((await reasonOf(insert({ ...times, ...wrong }))).status).toBe(400);
    }
  });

  test('43 too many, too far or contradictory reminders are refused', async () => {
    const override = { method: 'popup', minutes: 10 };
    const wrong = [
      { useDefault: false, overrides: Array.from({ length: 6 }, () => override) },
      { useDefault: false, overrides: [{ method: 'popup', minutes: 40_321 }] },
      { useDefault: false, overrides: [{ method: 'popup', minutes: -1 }] },
      { useDefault: false, overrides: [{ method: 'sms', minutes: 10 }] },
    ];
    for (const reminders of wrong) {
      expect((await reasonOf(insert({ ...halfHour(MONDAY), reminders }))).status).toBe(400);
    }
    const both = { useDefault: true, overrides: [override] };
    expect(await reasonOf(insert({ ...halfHour(MONDAY), reminders: both }))).toEqual({
      status: 400,
      reason: 'cannotUseDefaultRemindersAndSpecifyOverride',
      message: 'Cannot specify both default reminders and overrides at the same time.',
    });
    const five = { useDefault: false, overrides: Array.from({ length: 5 }, () => override) };
    expect((await insert({ ...halfHour(MONDAY), reminders: five })).reminders).toEqual(five);
  });

  test('44 guests: a bad e-mail is refused, a good one needs to answer, the own one is organizer and self', async () => {
    const bad = [
      'nobody',
      'a@b',
      'a b@example.com',
      'x@example.com\nBcc: y@example.com',
      '@example.com',
    ];
    for (const email of bad) {
      expect(await reasonOf(insert({ ...halfHour(MONDAY), attendees: [{ email }] }))).toEqual({
        status: 400,
        reason: 'invalid',
        message: 'Invalid attendee email.',
      });
    }
    const { attendees } = await insert({
      ...halfHour(MONDAY),
      attendees: [{ email: 'guest@customer.example', displayName: 'Guest' }, { email: ADA }],
    });
    expect(attendees).toEqual([
      { email: 'guest@customer.example', displayName: 'Guest', responseStatus: 'needsAction' },
      { email: ADA, responseStatus: 'needsAction', organizer: true, self: true },
    ]);
  });

  test('45 sendUpdates decides who is mailed: guests once each, the organizer never', async () => {
    const attendees = [
      { email: 'one@customer.example' },
      { email: 'two@customer.example' },
      { email: BOB },
      { email: ADA },
    ];
    const mailsFor = async (requestBody: Record<string, unknown>, sendUpdates?: string) => {
      const { id } = await insert(requestBody, sendUpdates === undefined ? {} : { sendUpdates });
      expect(sandbox.requests.of('events.insert').at(-1)?.query.sendUpdates).toBe(sendUpdates);
      return sandbox.mailbox().filter((mail) => mail.eventId === id);
    };
    const event = { ...halfHour(MONDAY), attendees };
    const all = await mailsFor(event, 'all');
    expect(all.map((mail) => [mail.to, mail.kind, mail.from])).toEqual([
      ['one@customer.example', 'invite', ADA],
      ['two@customer.example', 'invite', ADA],
      [BOB, 'invite', ADA],
    ]);
    expect((await mailsFor(event, 'externalOnly')).map((mail) => mail.to)).toEqual([
      'one@customer.example',
      'two@customer.example',
    ]);
    expect(await mailsFor(event, 'none')).toEqual([]);
    expect(await mailsFor(event)).toEqual([]);
    const past = { ...halfHour('2020-01-13T09:00:00Z'), attendees };
    expect(await mailsFor(past, 'all')).toEqual([]);
    expect(sandbox.mailbox(ADA)).toEqual([]);
  });

  test('46 conferenceDataVersion=0 drops the conference, 1 makes one Meet link per requestId', async () => {
    const asked = {
      ...halfHour(MONDAY),
      conferenceData: {
        createRequest: { requestId: 'r-1', conferenceSolutionKey: { type: 'hangoutsMeet' } },
      },
    };
    for (const dropped of [
      await insert(asked),
      await insert(asked, { conferenceDataVersion: 0 }),
    ]) {
      expect(dropped).not.toHaveProperty('conferenceData');
      expect(dropped).not.toHaveProperty('hangoutLink');
    }
    const made = await insert(asked, { conferenceDataVersion: 1 });
    const link = expect.stringMatching(/^https:\/\/meet\.google\.com\/[a-z]{3}-[a-z]{4}-[a-z]{3}$/);
    expect(made.hangoutLink).toEqual(link);
    expect(made.conferenceData).toMatchObject({
      createRequest: { requestId: 'r-1', status: { statusCode: 'success' } },
      entryPoints: [{ entryPointType: 'video', uri: made.hangoutLink }],
    });
    const patch = (requestId: string) =>
      api.events.patch({
        calendarId: 'primary',
        eventId: made.id ?? '',
        conferenceDataVersion: 1,
        requestBody: { conferenceData: { createRequest: { requestId } } },
      });
    expect((await patch('r-1')).data.hangoutLink).toBe(made.hangoutLink);
    expect((await patch('r-2')).data.hangoutLink).not.toBe(made.hangoutLink);

    sandbox.set({ meetLink: 'pending' });
    const pending = await insert(asked, { conferenceDataVersion: 1 });
    expect(pending).not.toHaveProperty('hangoutLink');
    expect(pending.conferenceData?.createRequest?.status?.statusCode).toBe('pending');
    sandbox.clock.advance(2_000);
    const { data } = await api.events.get({ calendarId: 'primary', eventId: pending.id ?? '' });
    expect(data.hangoutLink).toEqual(link);
    expect(data.conferenceData?.createRequest?.status?.statusCode).toBe('success');
    sandbox.set({ meetLink: 'at-once' });
  });

  test('47 an extended key of 45 characters vanishes, a value of 1025 is cut', async () => {
    const { extendedProperties } = await insert({
      ...halfHour(MONDAY),
      extendedProperties: {
        private: { ['k'.repeat(44)]: 'kept', ['k'.repeat(45)]: 'gone', long: 'v'.repeat(1025) },
      },
    });
    expect(extendedProperties).toEqual({
      private: { ['k'.repeat(44)]: 'kept', long: 'v'.repeat(1024) },
    });
  });
});
