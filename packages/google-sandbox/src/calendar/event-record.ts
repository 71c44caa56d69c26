import type { AccessRole, Account } from '../directory.ts';
import type { EventDateTime, Moment } from './moments.ts';

export type Reminder = { method: 'email' | 'popup'; minutes: number };
export type Reminders = { useDefault: boolean; overrides?: Reminder[] };

export type Attendee = {
  email: string;
  displayName?: string;
  optional?: boolean;
  resource?: boolean;
  responseStatus: 'needsAction' | 'declined' | 'tentative' | 'accepted';
  comment?: string;
  additionalGuests?: number;
};

export type ExtendedProperties = {
  private?: Record<string, string>;
  shared?: Record<string, string>;
};

export type EventType =
  | 'default'
  | 'birthday'
  | 'focusTime'
  | 'fromGmail'
  | 'outOfOffice'
  | 'workingLocation';

/** The fields of an event that callers write, at anything but their defaults. */
export type EventContent = {
  summary?: string;
  description?: string;
  location?: string;
  colorId?: string;
  transparency?: 'transparent';
  visibility?: 'public' | 'private' | 'confidential';
  recurrence?: string[];
  attendees?: Attendee[];
  extendedProperties?: ExtendedProperties;
  anyoneCanAddSelf?: true;
  guestsCanInviteOthers?: false;
  guestsCanModify?: true;
  guestsCanSeeOtherGuests?: false;
  source?: { title?: string; url: string };
  attachments?: Record<string, unknown>[];
  conferenceData?: Record<string, unknown>;
  workingLocationProperties?: Record<string, unknown>;
  outOfOfficeProperties?: Record<string, unknown>;
  focusTimeProperties?: Record<string, unknown>;
  birthdayProperties?: Record<string, unknown>;
};

export type EventStatus = 'confirmed' | 'tentative' | 'cancelled';

/** The version of an event whose place another one took. */
export const REPLACED = -1;

/** An event as a calendar keeps it. Times are epoch ms. */
export type StoredEvent = {
  readonly id: string;
  /** Place in the calendar's order of creation. */
  readonly ordinal: number;
  /** Counter of the calendar's change that this state came with. */
  version: number;
  status: EventStatus;
  createdMs: number;
  updatedMs: number;
  start: Moment;
  end: Moment;
  iCalUID: string;
  sequence: number;
  eventType: EventType;
  organizer: { email: string; displayName?: string };
  creator: { email: string };
  /** Private to the calendar's owner. */
  reminders: Reminders;
  content: EventContent;
  /** Set on single occurrences that were changed or cancelled apart from their series. */
  exception: { seriesId: string; originalStart: Moment } | undefined;
  /** What the series looked like before, for followers that hold its old occurrences. */
  formerShapes: readonly SeriesShape[];
};

/** What decides which occurrences an event has; a single event has no recurrence. */
type SeriesShape = {
  start: Moment;
  end: Moment;
  recurrence: string[] | undefined;
  /** The last version of the calendar at which it held. */
  heldUntilVersion: number;
};

export type Calendar = {
  /** The owner's e-mail for the primary calendar. */
  id: string;
  owner: Account;
  primary: boolean;
  summary: string;
  timeZone: string;
  sharedWith: Map<string, AccessRole>;
  defaultReminders: Reminder[];
  events: Map<string, StoredEvent>;
  /** Exceptions of each series, by the basic form of their original start. */
  exceptions: Map<string, Map<string, StoredEvent>>;
  /** Every change in order; an entry is stale when its event has a newer version. */
  changes: { version: number; event: StoredEvent }[];
  version: number;
  nextOrdinal: number;
  updatedMs: number;
  /** Goes up when sharing changes: sync tokens of before then need a full sync. */
  syncEpoch: number;
};

/** An event as the API shows it. */
export type EventResource = Omit<EventContent, 'recurrence' | 'attendees'> & {
  kind: 'calendar#event';
  etag: string;
  id: string;
  status: EventStatus;
  htmlLink: string;
  created: string;
  updated: string;
  creator: { email: string; self?: true };
  organizer: { email: string; displayName?: string; self?: true };
  start: EventDateTime;
  end: EventDateTime;
  recurrence?: string[];
  recurringEventId?: string;
  originalStartTime?: EventDateTime;
  iCalUID: string;
  sequence: number;
  attendees?: (Attendee & { organizer?: true; self?: true })[];
  attendeesOmitted?: true;
  hangoutLink?: string;
  reminders: Reminders;
  eventType: EventType;
};
