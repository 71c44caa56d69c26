import type { Calendar, StoredEvent } from '../calendar/event-record.ts';
import { renderIcs } from './ics.ts';
import type { MailKind, MailMessage } from './message.ts';
import { subjectOf, textOf } from './wording.ts';

const METHODS: Partial<Record<MailKind, NonNullable<MailMessage['method']>>> = {
  invite: 'REQUEST',
  update: 'REQUEST',
  cancel: 'CANCEL',
};

/** A message as it stands in the outbox; its wording is made only when someone reads it. */
export class WrittenMail implements MailMessage {
  readonly id: string;
  readonly at: number;
  readonly kind: MailKind;
  readonly from: string;
  readonly to: string;
  readonly eventId: string;
  readonly calendarId: string;
  readonly iCalUID: string;
  declare readonly method?: 'REQUEST' | 'CANCEL';
  readonly #calendar: Calendar;
  readonly #event: StoredEvent;

  /** @param event as it was when the message was sent: a copy that nobody changes any more */
  constructor(
    id: string,
    at: number,
    kind: MailKind,
    to: string,
    calendar: Calendar,
    event: StoredEvent,
  ) {
    const method = METHODS[kind];
    this.id = id;
    this.at = at;
    this.kind = kind;
    this.from = method === undefined ? 'calendar-notification@google.com' : event.organizer.email;
    this.to = to;
    this.eventId = event.id;
    this.calendarId = calendar.id;
    this.iCalUID = event.iCalUID;
    if (method !== undefined) this.method = method;
    this.#calendar = calendar;
    this.#event = event;
  }

  get subject(): string {
    return subjectOf(this.kind, this.#calendar, this.#event);
  }

  get text(): string {
    return textOf(this.kind, this.#calendar, this.#event);
  }

  get ics(): string {
    if (this.method === undefined) return '';
    return renderIcs(this.method, this.#calendar, this.#event, this.at);
  }

  toJSON(): MailMessage {
    const { id, at, kind, from, to, subject, text, eventId, calendarId, iCalUID, ics } = this;
    const method = this.method === undefined ? {} : { method: this.method };
    return { id, at, kind, from, to, subject, text, eventId, calendarId, iCalUID, ...method, ics };
  }
}
