import {
  Appointment,
  AppointmentPage,
  AppointmentWebhook,
  BotParams,
  CreateEvent,
  EventCreated,
  PageQuery,
} from '@calhook/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { ApiError } from '../api-error.ts';
import type { Bots } from '../bots/bots.ts';
import type { Database } from '../db/index.ts';
import { challenge, requireBotAccess, requireCaller } from '../http/callers.ts';
import type { FrontDoor } from '../http/front-door.ts';
import { bodyReader } from '../http/validation.ts';
import type { ApiKeys } from '../keys/keys.ts';
import { getAppointment, pageOfAppointments } from './appointments.ts';
import type { Booking } from './booking.ts';
import { fromFormData } from './booking-request.ts';

const tags = ['Appointments'];
const defaultPageSize = 50;
const appointmentType = 'appointment';

interface AppointmentRouteParts {
  readonly database: Database;
  readonly bots: Bots;
  readonly booking: Booking;
  readonly keys: ApiKeys;
}

/** Booking and reading appointments, and the webhook for who has no n8n. */
export function appointmentRoutes(app: FrontDoor, parts: AppointmentRouteParts): void {
  const { database, bots, booking } = parts;

  const book = async (reply: FastifyReply, botId: string, body: CreateEvent) => {
    const { answer, created } = await booking.book(botId, body);
    return reply.code(created ? 201 : 200).send(answer);
  };

  app.post(
    '/api/calendar/create-event/:botId',
    {
      config: { scope: 'appointments:write' },
      schema: {
        tags,
        summary: 'Book an appointment',
        params: BotParams,
        body: CreateEvent,
        response: { 200: EventCreated, 201: EventCreated },
      },
    },
    async (request, reply) => book(reply, request.params.botId, request.body),
  );

  app.get(
    '/api/calendar/appointments/:botId',
    {
      config: { scope: 'appointments:read' },
      schema: {
        tags,
        summary: 'List the appointments of a bot, newest first',
        params: BotParams,
        querystring: PageQuery,
        response: { 200: AppointmentPage },
      },
    },
    async (request) => {
      const { id } = await bots.get(request.params.botId);
      const { limit = defaultPageSize, cursor } = request.query;
      return pageOfAppointments(database, id, { limit, cursor });
    },
  );

  app.get(
    '/api/calendar/appointments/:botId/:appointmentId',
    {
      config: { scope: 'appointments:read' },
      schema: {
        tags,
        summary: 'Read an appointment',
        params: Type.Object({ botId: Type.String(), appointmentId: Type.String() }),
        response: { 200: Appointment },
      },
    },
    async (request) => {
      const { botId, appointmentId } = request.params;
      await bots.get(botId);
      return getAppointment(database, botId, appointmentId);
    },
  );

  webhookRoutes(app, parts, book);
}

const readBooking = bodyReader(CreateEvent);

/**
 * `POST /api/webhook/appointment`: what the n8n workflow does, built in. A website calls it from
 * the browser, where no key can be kept: it may when the bot names the website's origin.
 */
function webhookRoutes(
  app: FrontDoor,
  { bots, keys }: AppointmentRouteParts,
  book: (reply: FastifyReply, botId: string, body: CreateEvent) => Promise<FastifyReply>,
): void {
  const path = '/api/webhook/appointment';

  /** Pages of any origin may read the answer, refusals included; whether they may book is decided below. */
  const allowReading = (request: FastifyRequest, reply: FastifyReply) => {
    const { origin } = request.headers;
    if (origin) reply.headers({ 'access-control-allow-origin': origin, vary: 'Origin' });
  };

  const requirePermission = async (request: FastifyRequest, botId: string): Promise<void> => {
    const { authorization, origin } = request.headers;
    if (authorization !== undefined) {
      const caller = await requireCaller(keys, authorization, 'appointments:write');
      requireBotAccess(caller, botId);
      return;
    }
    const { allowedOrigins } = await bots.get(botId);
    if (allowedOrigins.length === 0) throw new ApiError('missing_api_key', { headers: challenge });
    // Browsers name the page's origin with every POST. A program that names none could as well name
    // the right one: what is open to every visitor of a website is open to programs, too.
    if (origin !== undefined && !allowedOrigins.includes(origin)) {
      throw new ApiError('origin_not_allowed');
    }
  };

  app.options(path, { schema: { hide: true } }, async (request, reply) => {
    allowReading(request, reply);
    return reply
      .headers({
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': 'content-type, authorization',
        'access-control-max-age': '600',
      })
      .code(204)
      .send();
  });

  app.post(
    path,
    {
      onRequest: async (request, reply) => allowReading(request, reply),
      schema: {
        tags,
        summary: 'Take what a chat or form posts, and book it',
        description:
          'Needs an API key, or a bot whose `allowedOrigins` names the website that posts.',
        body: AppointmentWebhook,
        response: { 200: EventCreated, 201: EventCreated },
      },
    },
    async (request, reply) => {
      const { botId, type, formData } = request.body;
      await requirePermission(request, botId);
      if (type !== appointmentType) throw new ApiError('not_an_appointment');
      return book(reply, botId, readBooking(fromFormData(formData)));
    },
  );
}
