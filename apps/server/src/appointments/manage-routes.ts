import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { ApiError } from '../api-error.ts';
import { formatDateTime } from '../availability/local-time.ts';
import type { Bots } from '../bots/bots.ts';
import type { AppointmentsTable, Database } from '../db/index.ts';
import type { FrontDoor } from '../http/front-door.ts';
import { type Page, sendPage } from '../http/pages.ts';
import type { Changes } from './changes.ts';
import type { ManageLinks } from './manage-links.ts';
import {
  appointmentPage,
  cancelledPage,
  cancelPage,
  type Managed,
  movedPage,
  refusedPage,
  timesPage,
  unknownLinkPage,
} from './manage-pages.ts';
import type { SlotAnswers } from './slot-answers.ts';
import { findAppointment } from './store.ts';

interface ManageRouteParts {
  readonly database: Database;
  readonly bots: Bots;
  readonly links: ManageLinks;
  readonly changes: Changes;
  readonly slots: SlotAnswers;
  /** Clock in epoch milliseconds. */
  readonly now: () => number;
}

const daysShown = 7;
/** No bot can be booked further ahead. */
const maxDaysAhead = 731;

/** `/m/{token}`: the pages on which a customer cancels or moves an appointment. */
export function manageRoutes(app: FrontDoor, parts: ManageRouteParts): void {
  const { database, bots, links, changes, slots, now } = parts;
  const params = Type.Object({ token: Type.String() });
  const schema = { hide: true, params };

  const managed = async (token: string): Promise<Managed | null> => {
    const id = links.appointmentId(token);
    const appointment = id === null ? undefined : await findAppointment(database.read, null, id);
    if (!appointment) return null;
    const { name } = await bots.get(appointment.client_id);
    return { appointment, businessName: name, path: `/m/${token}`, now: now() };
  };

  type TokenRequest = FastifyRequest<{ Params: { token: string } }>;
  /** Shows what a link leads to, or why it does not. */
  const show =
    (page: (of: Managed, request: TokenRequest) => Promise<Page> | Page) =>
    async (request: TokenRequest, reply: FastifyReply): Promise<FastifyReply> => {
      const of = await managed(request.params.token);
      if (!of) return sendPage(reply, unknownLinkPage());
      try {
        return sendPage(reply, await page(of, request));
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        return sendPage(reply, refusedPage(error, of.path));
      }
    };
  const changed = (of: Managed, appointment: AppointmentsTable): Managed => ({
    ...of,
    appointment,
  });

  app.get('/m/:token', { schema }, show(appointmentPage));
  app.get('/m/:token/cancel', { schema }, show(cancelPage));
  app.post(
    '/m/:token/cancel',
    { schema },
    show(async (of) => {
      const { client_id: botId, id } = of.appointment;
      return cancelledPage(changed(of, await changes.cancel(botId, id, 'customer')));
    }),
  );
  app.get(
    '/m/:token/times',
    { schema },
    show(async (of, request) => {
      const { client_id: botId, id, time_zone: timeZone } = of.appointment;
      const { from } = request.query as { from?: unknown };
      const today = Temporal.Instant.fromEpochMilliseconds(now())
        .toZonedDateTimeISO(timeZone)
        .toPlainDate();
      const first = firstDay(from, today);
      const durationMinutes = (of.appointment.ends_at - of.appointment.starts_at) / 60_000;
      const { answer } = await slots.slots(
        botId,
        {
          ...(first.equals(today) ? {} : { from: first.toString() }),
          to: first.add({ days: daysShown - 1 }).toString(),
          timeZone,
          durationMinutes,
        },
        id,
      );
      const before = first.subtract({ days: daysShown });
      const isPast = Temporal.PlainDate.compare(first, today) <= 0;
      return timesPage(of, {
        slots: answer.slots,
        before: isPast ? null : firstDay(before.toString(), today).toString(),
        after: first.add({ days: daysShown }).toString(),
      });
    }),
  );
  app.post(
    '/m/:token/times',
    { schema },
    show(async (of, request) => {
      const { client_id: botId, id, time_zone: timeZone } = of.appointment;
      const { start } = (request.body ?? {}) as { start?: unknown };
      const startsAt = typeof start === 'string' ? Date.parse(start) : Number.NaN;
      if (!Number.isSafeInteger(startsAt) || Math.abs(startsAt) > 8.6e15) {
        throw new ApiError('invalid_request', { values: { reason: 'no time was chosen' } });
      }
      const text = formatDateTime(startsAt, timeZone);
      const wanted = {
        date: text.slice(0, 10),
        time: text.slice(11, 16),
        offset: text.slice(19),
        timeZone,
      };
      return movedPage(changed(of, await changes.reschedule(botId, id, wanted, 'customer')));
    }),
  );
}

/** The first day to show: the one asked for, if it is one that is not past. */
function firstDay(asked: unknown, today: Temporal.PlainDate): Temporal.PlainDate {
  try {
    const date = Temporal.PlainDate.from(String(asked));
    const isShown =
      Temporal.PlainDate.compare(date, today) >= 0 &&
      Temporal.PlainDate.compare(date, today.add({ days: maxDaysAhead })) <= 0;
    return isShown ? date : today;
  } catch {
    return today;
  }
}
