/** Whom Google mails about a change (facts §2 "events.insert"). */
export type SendUpdates = 'all' | 'externalOnly' | 'none';

export type MailKind = 'invite' | 'update' | 'cancel' | 'reminder' | 'created';

/** A message that Google would have sent. */
export type MailMessage = {
  id: string;
  /** Epoch ms on the sandbox clock. */
  at: number;
  kind: MailKind;
  from: string;
  to: string;
  subject: string;
  text: string;
  eventId: string;
  calendarId: string;
  iCalUID: string;
  /** iTIP method of the calendar part (RFC 5546); absent on mails to the owner. */
  method?: 'REQUEST' | 'CANCEL';
  /** The calendar part (RFC 5545); empty on mails to the owner. */
  ics: string;
};
