import type { Slot } from '@calhook/contract';
import type { ApiError } from '../api-error.ts';
import { describeTime } from '../availability/local-time.ts';
import type { AppointmentsTable } from '../db/index.ts';
import { html, type Page } from '../http/pages.ts';

/** What a customer's page is about. */
export interface Managed {
  readonly appointment: AppointmentsTable;
  readonly businessName: string;
  /** Address of the appointment's page, without the origin. */
  readonly path: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

const minuteMs = 60_000;

function facts({ appointment, businessName }: Managed) {
  const { starts_at: startsAt, ends_at: endsAt, time_zone: timeZone, language } = appointment;
  return html`
<dl>
<div><dt>With</dt><dd>${businessName}</dd></div>
<div><dt>When</dt><dd>${describeTime(startsAt, timeZone, language)}</dd></div>
<div><dt>Length</dt><dd>${String((endsAt - startsAt) / minuteMs)} minutes</dd></div>
<div><dt>For</dt><dd>${appointment.customer_name}</dd></div>
</dl>`;
}

/** The appointment, and what its customer may do with it. */
export function appointmentPage(managed: Managed): Page {
  const { appointment, path, now } = managed;
  if (appointment.status === 'cancelled' || appointment.status === 'failed') {
    return {
      title: 'This appointment is cancelled',
      body: html`${facts(managed)}<p class="soft">Its time is free for others again. To come all the same, please book anew.</p>`,
    };
  }
  if (appointment.ends_at <= now) {
    return { title: 'This appointment is over', body: facts(managed) };
  }
  const pending = appointment.status === 'pending';
  return {
    title: pending ? 'Your appointment is being confirmed' : 'Your appointment',
    body: html`${facts(managed)}
${pending ? html`<p class="soft">The time is yours; the calendar has not confirmed it yet.</p>` : ''}
<p class="action"><a class="button" href="${path}/times">Choose another time</a></p>
<p class="aside"><a href="${path}/cancel">Cancel this appointment</a></p>`,
  };
}

/** Asks before an appointment is cancelled: a link that is only looked at must change nothing. */
export function cancelPage(managed: Managed): Page {
  return {
    title: 'Cancel this appointment?',
    body: html`${facts(managed)}
<form method="post" action="${managed.path}/cancel"><button type="submit">Cancel it</button></form>
<p class="action"><a href="${managed.path}">Keep it</a></p>`,
  };
}

export function cancelledPage(managed: Managed): Page {
  return {
    title: 'Your appointment is cancelled',
    kind: 'done',
    body: html`${facts(managed)}<p class="soft">Nothing else is to be done. You can close this window.</p>`,
  };
}

export function movedPage(managed: Managed): Page {
  return {
    title: 'Your appointment is moved',
    kind: 'done',
    body: html`${facts(managed)}<p class="aside"><a href="${managed.path}">See the appointment</a></p>`,
  };
}

/** The week that is looked at, and its neighbours as dates; null where there is nothing to look at. */
export interface Week {
  readonly slots: readonly Slot[];
  readonly before: string | null;
  readonly after: string;
}

/** Free times to move an appointment to. */
export function timesPage(managed: Managed, week: Week): Page {
  const { path, appointment } = managed;
  const { language, time_zone: timeZone } = appointment;
  const days = Map.groupBy(week.slots, ({ date }) => date);
  const dayName = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : [language, 'en-GB'], {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    timeZone,
  });
  const link = (date: string | null, text: string) =>
    date === null ? html`<span></span>` : html`<a href="${path}/times?from=${date}">${text}</a>`;
  return {
    title: 'Choose another time',
    body: html`
<p class="soft">Times are in ${timeZone}. Until you choose one, your appointment stays as it is.</p>
<nav class="weeks" aria-label="Weeks">${link(week.before, 'Earlier')}${link(week.after, 'Later')}</nav>
${days.size === 0 ? html`<p>Nothing is free in these days.</p>` : ''}
<form method="post" action="${path}/times">
${[...days.values()].map(
  (
    slots,
    i,
  ) => html`<details${i === 0 ? html` open` : ''}><summary>${dayName.format(Date.parse(slots[0]?.start ?? ''))} <span class="soft">${String(slots.length)} free</span></summary>
<div class="times">${slots.map(
    ({ start, time }) => html`<button type="submit" name="start" value="${start}">${time}</button>`,
  )}</div></details>`,
)}
</form>
<p><a href="${path}">Keep the time that it has</a></p>`,
  };
}

/** Why something that a customer wanted was not done. */
export function refusedPage(error: ApiError, path: string): Page {
  return {
    title: 'That did not work',
    kind: 'warn',
    status: error.status,
    body: html`<p>${error.message}</p>
<p>Your appointment is as it was.</p>
<p class="action"><a class="button" href="${path}">Back to the appointment</a></p>`,
  };
}

/** What a link that was made for nothing leads to. */
export function unknownLinkPage(): Page {
  return {
    title: 'This link is not valid',
    kind: 'warn',
    status: 404,
    body: html`<p>Perhaps it was cut when it was copied.</p>
<p>Please open it from the message that you got when you booked.</p>`,
  };
}
