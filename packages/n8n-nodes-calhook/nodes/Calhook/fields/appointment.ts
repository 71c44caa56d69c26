import type { INodeProperties } from 'n8n-workflow';
import {
  appointment,
  bot,
  durationMinutes,
  further,
  howMany,
  language,
  offset,
  operations,
  start,
  timeZone,
  weekday,
} from './shared';

const resource = ['appointment'];
const book = { resource, operation: ['book'] };
const reschedule = { resource, operation: ['reschedule'] };

export const appointmentFields: INodeProperties[] = [
  operations(
    'appointment',
    [
      {
        name: 'Book',
        value: 'book',
        action: 'Book an appointment',
        description: "Book an appointment into the bot's calendar and invite the customer",
      },
      {
        name: 'Cancel',
        value: 'cancel',
        action: 'Cancel an appointment',
        description: 'Cancel an appointment and take it out of the calendar',
      },
      {
        name: 'Get',
        value: 'get',
        action: 'Get an appointment',
        description: 'Read one appointment',
      },
      {
        name: 'Get Many',
        value: 'getAll',
        action: 'Get many appointments',
        description: 'List the appointments of a bot, newest first',
      },
      {
        name: 'Reschedule',
        value: 'reschedule',
        action: 'Reschedule an appointment',
        description: 'Move an appointment to another time',
      },
    ],
    'book',
  ),
  bot({ resource }),
  appointment({ resource, operation: ['cancel', 'get', 'reschedule'] }),
  {
    displayName: 'Customer Name',
    name: 'customerName',
    type: 'string',
    default: '',
    required: true,
    displayOptions: { show: book },
    description: 'Who the appointment is for',
  },
  {
    displayName: 'Email',
    name: 'email',
    type: 'string',
    placeholder: 'name@email.com',
    default: '',
    required: true,
    displayOptions: { show: book },
    description: 'Address of the customer, who is invited by it',
  },
  ...start({ resource, operation: ['book', 'reschedule'] }),
  further('Additional Fields', book, [
    {
      displayName: 'Answers',
      name: 'answers',
      type: 'fixedCollection',
      typeOptions: { multipleValues: true },
      placeholder: 'Add Answer',
      default: {},
      description: 'Further answers of a form, shown in the event',
      options: [
        {
          displayName: 'Answer',
          name: 'answer',
          values: [
            { displayName: 'Name', name: 'name', type: 'string', default: '' },
            { displayName: 'Value', name: 'value', type: 'string', default: '' },
          ],
        },
      ],
    },
    durationMinutes,
    {
      displayName: 'Hold ID',
      name: 'holdId',
      type: 'string',
      default: '',
      description: 'The hold that keeps this time for the customer',
    },
    {
      displayName: 'Idempotency Key',
      name: 'idempotencyKey',
      type: 'string',
      default: '',
      description:
        'Unique to the booking: sent twice, it books once. Default: made from the execution, so that Retry On Fail books once.',
    },
    language,
    {
      displayName: 'Notes',
      name: 'notes',
      type: 'string',
      typeOptions: { rows: 3 },
      default: '',
      description: 'Shown in the event',
    },
    offset,
    { displayName: 'Phone', name: 'phone', type: 'string', default: '' },
    timeZone,
    weekday,
  ]),
  further('Additional Fields', reschedule, [durationMinutes, offset, timeZone, weekday]),
  ...howMany({ resource, operation: ['getAll'] }),
];
