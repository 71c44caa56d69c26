import type { N8nWorkflow } from 'local-n8n';
import { botById, type CalhookStep, calhookWorkflow } from './calhook-node.ts';

const fromBody = (name: string) => `={{ $json.body.${name} }}`;
const ofBot = { botId: botById("={{ $('Webhook').first().json.body.botId }}") };
const ofBooking = {
  ...ofBot,
  appointmentId: { __rl: true, mode: 'id', value: "={{ $('Book').first().json.appointmentId }}" },
};
const booking = {
  resource: 'appointment',
  operation: 'book',
  ...ofBot,
  customerName: fromBody('customerName'),
  email: fromBody('email'),
  date: fromBody('date'),
  time: fromBody('time'),
};

/** One visitor's way from the first question to the end, by the node alone. */
const wholeWay = [
  {
    name: 'Slots',
    parameters: {
      resource: 'slot',
      operation: 'getAll',
      ...ofBot,
      limit: 1,
      options: { from: fromBody('from'), durationMinutes: '={{ "45" }}' },
    },
  },
  {
    name: 'Hold',
    parameters: {
      resource: 'hold',
      operation: 'create',
      ...ofBot,
      date: '={{ $json.date }}',
      time: '={{ $json.time }}',
      additionalFields: { holdMinutes: 3, durationMinutes: 45 },
    },
  },
  {
    name: 'Book',
    parameters: {
      resource: 'appointment',
      operation: 'book',
      ...ofBot,
      customerName: 'Alan Turing',
      email: 'alan@example.org',
      date: "={{ $('Slots').first().json.date }}",
      time: "={{ $('Slots').first().json.time }}",
      additionalFields: {
        holdId: '={{ $json.holdId }}',
        durationMinutes: 45,
        answers: { answer: [{ name: 'Frame size', value: '56' }] },
      },
    },
  },
  {
    name: 'Move',
    parameters: {
      resource: 'appointment',
      operation: 'reschedule',
      ...ofBooking,
      date: "={{ $('Slots').first().json.date }}",
      time: '20:15',
    },
  },
  { name: 'Read', parameters: { resource: 'appointment', operation: 'get', ...ofBooking } },
  { name: 'Cancel', parameters: { resource: 'appointment', operation: 'cancel', ...ofBooking } },
];
const allOfIt = `={{ JSON.stringify({ ${wholeWay
  .map(({ name }) => `${name}: $('${name}').first().json`)
  .join(', ')} }) }}`;

const held = [
  {
    name: 'Hold',
    parameters: {
      ...wholeWay[1]?.parameters,
      date: fromBody('date'),
      time: fromBody('time'),
      additionalFields: {},
    },
  },
  {
    name: 'Release',
    parameters: { resource: 'hold', operation: 'release', ...ofBot, holdId: '={{ $json.holdId }}' },
  },
];

const listed = {
  name: 'Bots',
  parameters: {
    resource: 'bot',
    operation: 'getAll',
    returnAll: fromBody('all'),
    limit: fromBody('limit'),
  },
};

const made = [
  {
    name: 'Bot',
    parameters: {
      resource: 'bot',
      operation: 'create',
      name: 'Hopper Bicycles',
      additionalFields: {
        timeZone: 'Europe/Berlin',
        durationMinutes: 45,
        allowedOrigins: ['https://www.example.com'],
        weeklyHours: '{ "monday": [{ "start": "09:00", "end": "17:00" }] }',
      },
    },
  },
  {
    name: 'Link',
    parameters: {
      resource: 'bot',
      operation: 'createConnectLink',
      botId: botById('={{ $json.id }}'),
    },
  },
  {
    name: 'Status',
    parameters: {
      resource: 'bot',
      operation: 'getStatus',
      botId: botById("={{ $('Bot').first().json.id }}"),
    },
  },
];
const allOfNew =
  "={{ JSON.stringify({ bot: $('Bot').first().json, link: $('Link').first().json, status: $json }) }}";

/** Workflows of the node alone, for a credential; `<kind>-<suffix>` is the path of each. */
export function nodeWorkflows(suffix: string, credentialId: string): N8nWorkflow[] {
  const flow = (kind: string, steps: readonly CalhookStep[], answer?: string) =>
    calhookWorkflow(`${kind}-${suffix}`, credentialId, steps, answer);
  return [
    flow('way', wholeWay, allOfIt),
    flow('held', held),
    flow('stop', [{ name: 'Book', parameters: booking }]),
    flow('bots', [listed]),
    flow('new', made, allOfNew),
  ];
}

/** Books what the message says, and tries once more when that fails. */
export const bookTwice: CalhookStep = {
  name: 'Book',
  parameters: booking,
  settings: { retryOnFail: true, maxTries: 2, waitBetweenTries: 1 },
};
