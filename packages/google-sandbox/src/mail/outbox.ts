import type { Calendar, Reminder, StoredEvent } from '../calendar/event-record.ts';
import { momentMs } from '../calendar/moments.ts';
import { endsForGood } from '../calendar/series-end.ts';
import type { Clock } from '../clock.ts';
import type { Account, Directory } from '../directory.ts';
import type { Limits } from '../limits.ts';
import type { Switches } from '../switches.ts';
import type { MailKind, MailMessage, SendUpdates } from './message.ts';
import { WrittenMail } from './written-mail.ts';

/** Who makes a change, and whom to tell. */
export type Sender = {
  actor: Account;
  sendUpdates: SendUpdates;
  switches: Switches;
  limits: Limits;
};

/** What Google would mail to guests and owners (facts §5). */
export type Outbox = {
  /**
   * Mails the guests about a change that is about to be stored, as `sender.sendUpdates` says.
   * @param before undefined for a new event
   * @throws ApiError quotaExceeded when the sender's budget of invitations is used up
   */
  announce(
    sender: Sender,
    calendar: Calendar,
    before: StoredEvent | undefined,
    after: StoredEvent,
  ): void;
  /** A mail to the owner of the calendar itself. */
  tellOwner(kind: 'reminder' | 'created', calendar: Calendar, event: StoredEvent): void;
  /** Everything sent, oldest first; of one recipient when an e-mail is given. */
  messages(to?: string): MailMessage[];
  clear(): void;
  onMail(listener: (message: MailMessage) => void): void;
};

export function createOutbox(clock: Clock, directory: Directory): Outbox {
  const messages: MailMessage[] = [];
  const listeners: ((message: MailMessage) => void)[] = [];

  function send(kind: MailKind, calendar: Calendar, event: StoredEvent, to: string): void {
    const id = String(messages.length + 1);
    const message = new WrittenMail(id, clock.now(), kind, to, calendar, { ...event });
    messages.push(message);
    for (const listener of listeners) listener(message);
  }

  /** Google mails nobody about events that are over (facts §2, check 45). */
  function isOver(calendar: Calendar, event: StoredEvent): boolean {
    return endsForGood(calendar, event) <= clock.now();
  }

  function reaches(email: string, sendUpdates: SendUpdates): boolean {
    return sendUpdates === 'all' || directory.account(email) === undefined;
  }

  return {
    announce(sender, calendar, before, after) {
      if (before === undefined && sender.switches.ownerMailOnOwnInsert) {
        send('created', calendar, after, calendar.owner.email);
      }
      // Only the organizer's event speaks to the guests.
      if (sender.sendUpdates === 'none' || after.organizer.email !== calendar.id) return;
      if (isOver(calendar, after)) return;
      const plan = planMails(before, after).filter(({ to }) => reaches(to, sender.sendUpdates));
      const outside = plan.filter(({ kind, to }) => kind === 'invite' && isOutside(to, sender));
      sender.limits.countInvitations(sender.actor.email, outside.length);
      for (const { kind, to } of plan)
        send(
          kind,
          calendar,
          kind === 'cancel' && before ? { ...after, status: 'cancelled' } : after,
          to,
        );
    },
    tellOwner: (kind, calendar, event) => send(kind, calendar, event, calendar.owner.email),
    messages: (to) =>
      to === undefined
        ? [...messages]
        : messages.filter((message) => message.to.toLowerCase() === to.toLowerCase()),
    clear: () => {
      messages.length = 0;
    },
    onMail: (listener) => {
      listeners.push(listener);
    },
  };
}

/** An outside guest is of another domain, or anyone at all for consumer accounts. */
function isOutside(email: string, sender: Sender): boolean {
  const domain = (address: string) => address.slice(address.lastIndexOf('@') + 1).toLowerCase();
  const own = domain(sender.actor.email);
  return own === 'gmail.com' || domain(email) !== own;
}

type Planned = { kind: 'invite' | 'update' | 'cancel'; to: string };

/** Who hears what: new guests are invited, present ones updated, former ones told it is off. */
function planMails(before: StoredEvent | undefined, after: StoredEvent): Planned[] {
  const guestsBefore =
    before === undefined || before.status === 'cancelled' ? [] : guestsOf(before);
  const guestsAfter = after.status === 'cancelled' ? [] : guestsOf(after);
  const worthTelling = before === undefined || tellsGuests(before, after);
  return [
    ...guestsAfter.flatMap((to): Planned[] => {
      if (!guestsBefore.includes(to)) return [{ kind: 'invite', to }];
      return worthTelling ? [{ kind: 'update', to }] : [];
    }),
    ...guestsBefore
      .filter((to) => !guestsAfter.includes(to))
      .map((to): Planned => ({ kind: 'cancel', to })),
  ];
}

/** Private changes (reminders, private properties) are nobody else's business. */
function tellsGuests(before: StoredEvent, after: StoredEvent): boolean {
  const shared = ({ start, end, status, content }: StoredEvent) => {
    const { extendedProperties, colorId: _color, transparency: _busy, ...rest } = content;
    return JSON.stringify([start, end, status, rest, extendedProperties?.shared]);
  };
  return shared(before) !== shared(after);
}

function guestsOf(event: StoredEvent): string[] {
  return (event.content.attendees ?? [])
    .map((attendee) => attendee.email)
    .filter((email) => email.toLowerCase() !== event.organizer.email.toLowerCase());
}

/** When the owner's e-mail reminders of an event fall due (epoch ms). */
export function reminderTimes(calendar: Calendar, event: StoredEvent): number[] {
  const { useDefault, overrides = NO_REMINDERS } = event.reminders;
  const reminders = useDefault ? calendar.defaultReminders : overrides;
  if (reminders.every((reminder) => reminder.method !== 'email')) return NO_TIMES;
  const startMs = momentMs(event.start, calendar.timeZone);
  return reminders
    .filter((reminder) => reminder.method === 'email')
    .map((reminder) => startMs - reminder.minutes * 60_000);
}

const NO_REMINDERS: Reminder[] = [];
const NO_TIMES: number[] = [];
