import {
  Appointment,
  AppointmentPage,
  AppointmentWebhook,
  BotParams,
  CreateEvent,
  defaultPageSize,
  EventCreated,
  PageQuery,
  RescheduleEvent,
} from '@calhook/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { ApiError } from '../api-error.ts';
import type { Bots } from '../bots/bots.ts';
import type { Database } from '../db/index.ts';
import { callerOf, challenge, requireBotAccess, requireCaller } from '../http/callers.ts';
import type { FrontDoor } from '../http/front-door.ts';
import { bodyReader } from '../http/validation.ts';
import type { ApiKeys } from '../keys/keys.ts';
import type { AppointmentAnswers } from './answers.ts';
import { getAppointment } from './appointments.ts';
import type { Booking } from './booking.ts';
import { fromFormData } from './booking-request.ts';
import type { Changes } from './changes.ts';
import type { IdempotencyKey } from './idempotency.ts';
import { listAppointments } from './store.ts';

const tags = ['Appointments'];
const appointmentType = 'appointment';

const AppointmentParams = Type.Object({ botId: Type.String(), appointmentId: Type.String() });
const IdempotencyHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ description: 'Unique to the booking; a repeated request with it books once.' }),
  ),
});

interface AppointmentRouteParts {
  readonly database: Database;
  readonly bots: Bots;
  readonly booking: Booking;
  readonly changes: Changes;
  readonly answers: AppointmentAnswers;
  readonly keys: ApiKeys;
}

type Book = (
  request: FastifyRequest,
  reply: FastifyReply,
  botId: string,
  body: CreateEvent,
  callerId: string,
) => Promise<FastifyReply>;

/** The `Idempotency-Key` of a request, which counts for its caller only. */
function idempotencyOf(request: FastifyRequest, callerId: string): IdempotencyKey | null {
  const header = request.headers['idempotency-key'];
  if (header === undefined) return null;
  return { callerId, key: Array.isArray(header) ? header.join(',') : header };
}

/** Booking, changing and reading appointments, and the webhook for who has no n8n. */
export function appointmentRoutes(app: FrontDoor, parts: AppointmentRouteParts): void {
  const { database, bots, booking, changes, answers } = parts;

  const book: Book = async (request, reply, botId, body, callerId) => {
    const { answer, status } = await booking.book(botId, body, idempotencyOf(request, callerId));
    return reply.code(status).send(answer);
  };

  app.post(
    '/api/calendar/create-event/:botId',
    {
      config: { scope: 'appointments:write' },
      schema: {
        tags,
        summary: 'Book an appointment',
        description:
          '201: booked. 200: this booking was made before (same `Idempotency-Key`, or same e-mail and start). 202: stored, and brought into Google as soon as it answers.',
        headers: IdempotencyHeaders,
        params: BotParams,
        body: CreateEvent,
        response: { 200: EventCreated, 201: EventCreated, 202: EventCreated },
      },
    },
    async (request, reply) =>
      book(request, reply, request.params.botId, request.body, callerOf(request).keyId),
  );

  app.post(
    '/api/calendar/cancel-event/:botId/:appointmentId',
    {
      config: { scope: 'appointments:write' },
      schema: {
        tags,
        summary: 'Cancel an appointment',
        params: AppointmentParams,
        response: { 200: Appointment },
      },
    },
    async (request) => {
      const { botId, appointmentId } = request.params;
      await bots.get(botId);
      return answers.appointment(await changes.cancel(botId, appointmentId, 'api'));
    },
  );

  app.post(
    '/api/calendar/reschedule-event/:botId/:appointmentId',
    {
      config: { scope: 'appointments:write' },
      schema: {
        tags,
        summary: 'Move an appointment to another time',
        params: AppointmentParams,
        body: RescheduleEvent,
        response: { 200: Appointment },
      },
    },
    async (request) => {
      const { botId, appointmentId } = request.params;
      return answers.appointment(
        await changes.reschedule(botId, appointmentId, request.body, 'api'),
      );
    },
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
      const { rows, nextCursor } = await listAppointments(database, id, { limit, cursor });
      return { appointments: rows.map((row) => answers.appointment(row)), nextCursor };
    },
  );

  app.get(
    '/api/calendar/appointments/:botId/:appointmentId',
    {
      config: { scope: 'appointments:read' },
      schema: {
        tags,
        summary: 'Read an appointment',
        params: AppointmentParams,
        response: { 200: Appointment },
      },
    },
    async (request) => {
      const { botId, appointmentId } = request.params;
      await bots.get(botId);
      return answers.appointment(await getAppointment(database, botId, appointmentId));
    },
  );

  webhookRoutes(app, parts, book);
}

const readBooking = bodyReader(CreateEvent);

/**
 * `POST /api/webhook/appointment`: what the n8n workflow does, built in. A website calls it from
 * the browser, where no key can be kept: it may when the bot names the website's origin.
 */
function webhookRoutes(app: FrontDoor, { bots, keys }: AppointmentRouteParts, book: Book): void {
  const path = '/api/webhook/appointment';

  /** Pages of any origin may read the answer, refusals included; whether they may book is decided below. */
  const allowReading = (request: FastifyRequest, reply: FastifyReply) => {
    const { origin } = request.headers;
    if (origin) reply.headers({ 'access-control-allow-origin': origin, vary: 'Origin' });
  };

  /** Returns who books, as idempotency keys tell callers apart. */
  const requirePermission = async (request: FastifyRequest, botId: string): Promise<string> => {
    const { authorization, origin } = request.headers;
    if (authorization !== undefined) {
      const caller = await requireCaller(keys, authorization, 'appointments:write');
      requireBotAccess(caller, botId);
      return caller.keyId;
    }
    const { allowedOrigins } = await bots.get(botId);
    if (allowedOrigins.length === 0) throw new ApiError('missing_api_key', { headers: challenge });
    // Browsers name the page's origin with every POST. A program that names none could as well name
    // the right one: what is open to every visitor of a website is open to programs, too.
    if (origin !== undefined && !allowedOrigins.includes(origin)) {
      throw new ApiError('origin_not_allowed');
    }
    return 'public';
  };

  app.options(path, { schema: { hide: true } }, async (request, reply) => {
    allowReading(request, reply);
    return reply
      .headers({
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': 'content-type, authorization, idempotency-key',
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
        headers: IdempotencyHeaders,
        body: AppointmentWebhook,
        response: { 200: EventCreated, 201: EventCreated, 202: EventCreated },
      },
    },
    async (request, reply) => {
      const { botId, type, formData } = request.body;
      const callerId = await requirePermission(request, botId);
      if (type !== appointmentType) throw new ApiError('not_an_appointment');
      return book(request, reply, botId, readBooking(fromFormData(formData)), callerId);
    },
  );
}
