import type { Bot } from '@calhook/contract';
import { html, type Page } from '../http/pages.ts';
import type { ConsentFault } from './consent-error.ts';
import type { Question } from './consent-steps.ts';

/** What an owner sees before Google: for whom the calendar is connected, and what will be asked. */
export function connectPage(bot: Bot, consentOrigin: string): Page {
  return {
    title: `Connect your calendar to ${bot.name}`,
    formTargets: [consentOrigin],
    body: html`
<p>Appointments that visitors book with <strong>${bot.name}</strong> will appear in your Google Calendar.</p>
<p>Google will ask you to</p>
<ol>
<li>choose the account whose calendar is to be used,</li>
<li>allow viewing and changing events. <strong>Leave that box ticked</strong>, or nothing can be booked.</li>
</ol>
<form method="post"><button type="submit">Continue to Google</button></form>
<p class="soft">If you were not expecting this, close the page; nothing has been changed.</p>`,
  };
}

/** What an owner sees whose connection has ended, before Google. */
export function reconnectPage(bot: Bot, email: string, consentOrigin: string): Page {
  return {
    title: `Reconnect your calendar to ${bot.name}`,
    formTargets: [consentOrigin],
    body: html`
<p>Google no longer lets <strong>${bot.name}</strong> into the calendar of <strong>${email}</strong>, so nothing can be booked.</p>
<p>Choose that account again and <strong>leave the calendar box ticked</strong>. Appointments, rules and everything else stay as they are.</p>
<form method="post"><button type="submit">Continue to Google</button></form>
<p class="soft">For another account, ask whoever runs ${bot.name} for a new connect link.</p>`,
  };
}

/** What an owner sees when it worked. */
export function connectedPage(bot: Bot, email: string, undo: string): Page {
  return {
    title: 'Your calendar is connected',
    kind: 'done',
    body: html`
<p>Appointments of <strong>${bot.name}</strong> will appear in the Google Calendar of <strong>${email}</strong>.</p>
<p>You can close this window.</p>
<form method="post" action="/connect/undo/${undo}" class="aside"><span class="soft">Not you?</span> <button type="submit" class="link">Disconnect</button></form>`,
  };
}

/** What an owner sees who has connected another account than the bot had. */
export function questionPage({ bot, from, to }: Question, token: string): Page {
  return {
    title: 'Use another account?',
    body: html`
<p><strong>${bot.name}</strong> is connected to <strong>${from}</strong>. You have just chosen <strong>${to}</strong>.</p>
<p>If you change it, new appointments go to <strong>${to}</strong>. Those that are booked already stay in the calendar of ${from}.</p>
<form method="post" action="/connect/replace/${token}"><button type="submit">Change to ${to}</button></form>
<form method="post" action="/connect/keep/${token}"><button type="submit" class="second">Keep ${from}</button></form>`,
  };
}

/** What an owner sees who kept the account. */
export function keptPage({ bot, from }: Question): Page {
  return {
    title: 'Nothing was changed',
    kind: 'done',
    body: html`
<p><strong>${bot.name}</strong> stays connected to <strong>${from}</strong>.</p>
<p class="soft">You can close this window.</p>`,
  };
}

/** What an owner sees who disconnected at once. */
export function disconnectedPage(bot: Bot): Page {
  return {
    title: 'Your calendar is disconnected',
    kind: 'done',
    body: html`
<p><strong>${bot.name}</strong> has no access to the calendar any more, and nothing can be booked into it.</p>
<p class="soft">To connect again, ask for a new link. You can close this window.</p>`,
  };
}

interface FaultText {
  readonly status: number;
  readonly title: string;
  readonly happened: string;
  readonly todo: string;
  /** Whether the same link can be tried again. */
  readonly again: boolean;
}

const faults: Readonly<Record<ConsentFault, FaultText>> = {
  link_unknown: {
    status: 410,
    title: 'This link is no longer valid',
    happened: 'A connect link works once, and for half an hour.',
    todo: 'Please ask whoever sent it for a new one.',
    again: false,
  },
  link_elsewhere: {
    status: 409,
    title: 'This link was opened in another browser',
    happened:
      'To protect your calendar, a connect link works only in the browser that used it first.',
    todo: 'Please go back to that browser, or ask for a new link.',
    again: false,
  },
  reconnect_unknown: {
    status: 410,
    title: 'This link is no longer needed, or no longer valid',
    happened: 'A reconnect link works until the calendar is connected again, or disconnected.',
    todo: 'If bookings do not arrive, please ask whoever sent it for a new one.',
    again: false,
  },
  other_account: {
    status: 409,
    title: 'This is another account than before',
    happened:
      'A reconnect link accepts only the Google account that was connected. You chose another one.',
    todo: 'Nothing was changed. Please try again and choose the same account, or ask for a new connect link to use another one.',
    again: true,
  },
  step_unknown: {
    status: 410,
    title: 'This page is no longer valid',
    happened: 'It was answered already, or it is too old.',
    todo: 'Please ask for a new link if there is something left to change.',
    again: false,
  },
  state_unknown: {
    status: 400,
    title: 'This took too long',
    happened: 'The request to Google is older than ten minutes, or was already used.',
    todo: 'Nothing was connected. Please start again.',
    again: true,
  },
  cookie_mismatch: {
    status: 400,
    title: 'Please finish where you started',
    happened: 'This answer from Google was asked for in another browser, or cookies are blocked.',
    todo: 'Nothing was connected. Please open the connect link again and allow cookies for this site.',
    again: false,
  },
  denied: {
    status: 400,
    title: 'Access was not allowed',
    happened: 'You, or Google, chose not to allow access to the calendar.',
    todo: 'Nothing was connected. You can try again whenever you like.',
    again: true,
  },
  google_error: {
    status: 502,
    title: 'Google could not finish',
    happened: 'Google sent back an error instead of an answer.',
    todo: 'Nothing was connected. Please try again; if it happens again, tell whoever sent you the link.',
    again: true,
  },
  exchange_refused: {
    status: 502,
    title: 'Google did not accept the answer',
    happened:
      'The one-time code that Google sent was refused, as happens when a page is loaded twice.',
    todo: 'Nothing was connected. Please try again.',
    again: true,
  },
  google_unreachable: {
    status: 503,
    title: 'Google did not answer',
    happened: 'Google could not be reached just now.',
    todo: 'Nothing was connected. Please try again in a minute.',
    again: true,
  },
  operator: {
    status: 503,
    title: 'This service is not set up correctly',
    happened: 'Google does not accept this service’s own registration. It is not your fault.',
    todo: 'Nothing was connected. Please tell whoever sent you the link.',
    again: false,
  },
  scope_missing: {
    status: 400,
    title: 'The calendar box was not ticked',
    happened: 'Google asked whether events may be viewed and changed, and that box was left empty.',
    todo: 'Nothing was connected. Please try again and leave the box ticked.',
    again: true,
  },
  refresh_token_missing: {
    status: 502,
    title: 'Google gave access for one hour only',
    happened: 'Google did not send what is needed to keep the connection beyond the first hour.',
    todo: 'Nothing was connected. Please remove this app at myaccount.google.com/connections, then try again.',
    again: true,
  },
};

/**
 * What an owner sees when it did not work: what happened, and what to do.
 *
 * @param link address of the connect link, when this browser is known to hold it
 */
export function faultPage(fault: ConsentFault, link: string | null): Page {
  const { status, title, happened, todo, again } = faults[fault];
  return {
    status,
    title,
    kind: 'warn',
    body: html`
<p>${happened}</p>
<p>${todo}</p>
${again && link ? html`<p class="action"><a class="button" href="${link}">Try again</a></p>` : ''}`,
  };
}
