import type { Bot } from '@calhook/contract';
import { html, type Page } from '../http/pages.ts';
import type { ConsentFault } from './consent.ts';

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

/** What an owner sees when it worked. */
export function connectedPage(bot: Bot, email: string): Page {
  return {
    title: 'Your calendar is connected',
    kind: 'done',
    body: html`
<p>Appointments of <strong>${bot.name}</strong> will appear in the Google Calendar of <strong>${email}</strong>.</p>
<p class="soft">You can close this window.</p>`,
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
