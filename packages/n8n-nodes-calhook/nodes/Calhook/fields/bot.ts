import type { INodeProperties } from 'n8n-workflow';
import { bot, further, howMany, language, operations, timeZone } from './shared';

const create = { resource: ['bot'], operation: ['create'] };

function minutes(displayName: string, name: string, description: string): INodeProperties {
  return { displayName, name, type: 'number', default: 0, description };
}

export const botFields: INodeProperties[] = [
  operations(
    'bot',
    [
      {
        name: 'Create',
        value: 'create',
        action: 'Create a bot',
        description: 'Make a bot: one client whose calendar can be booked',
      },
      {
        name: 'Create Connect Link',
        value: 'createConnectLink',
        action: 'Create a connect link for a bot',
        description: 'Make a one-time link with which the owner connects a Google Calendar',
      },
      {
        name: 'Get Many',
        value: 'getAll',
        action: 'Get many bots',
        description: 'List the bots that the API key may see',
      },
      {
        name: 'Get Status',
        value: 'getStatus',
        action: 'Get the connection status of a bot',
        description: 'Tell whether the calendar of a bot is connected and can be booked',
      },
    ],
    'getStatus',
  ),
  bot({ resource: ['bot'], operation: ['createConnectLink', 'getStatus'] }),
  {
    displayName: 'Name',
    name: 'name',
    type: 'string',
    default: '',
    required: true,
    placeholder: 'Hopper Bicycles',
    displayOptions: { show: create },
    description: 'Name of the business, as owners and customers see it',
  },
  further('Additional Fields', create, [
    {
      displayName: 'Accept While Unreachable',
      name: 'acceptPending',
      type: 'boolean',
      default: false,
      description:
        'Whether to take bookings while the calendar cannot be read; they are pending until it can',
    },
    {
      displayName: 'Allowed Origins',
      name: 'allowedOrigins',
      type: 'string',
      typeOptions: { multipleValues: true },
      default: [],
      placeholder: 'https://www.example.com',
      description: 'Websites whose pages may post appointments without an API key',
    },
    {
      displayName: 'Bot ID',
      name: 'id',
      type: 'string',
      default: '',
      placeholder: 'bot-hopper',
      description:
        'ID of the new bot: "bot-" and lower-case letters, digits and hyphens; default: made up',
    },
    minutes('Buffer After (Minutes)', 'bufferAfterMinutes', 'Kept free after each appointment'),
    minutes('Buffer Before (Minutes)', 'bufferBeforeMinutes', 'Kept free before each appointment'),
    {
      displayName: 'Duration (Minutes)',
      name: 'durationMinutes',
      type: 'number',
      typeOptions: { minValue: 5, maxValue: 1440 },
      default: 30,
      description: 'Length of an appointment unless a request says otherwise',
    },
    {
      displayName: 'Horizon (Days)',
      name: 'horizonDays',
      type: 'number',
      typeOptions: { minValue: 0, maxValue: 730 },
      default: 60,
      description: 'How many days ahead, beside today, may be booked',
    },
    language,
    minutes(
      'Minimum Notice (Minutes)',
      'minimumNoticeMinutes',
      'How long before its start an appointment may last be booked',
    ),
    {
      displayName: 'Slot Step (Minutes)',
      name: 'slotStepMinutes',
      type: 'number',
      typeOptions: { minValue: 5, maxValue: 1440 },
      default: 30,
      description: 'Appointments start every so many minutes, counted from the start of the hours',
    },
    timeZone,
    {
      displayName: 'Weekly Hours',
      name: 'weeklyHours',
      type: 'json',
      default: '{\n  "monday": [{ "start": "09:00", "end": "17:00" }]\n}',
      description: 'Bookable hours per weekday; a weekday that is left out is closed',
    },
  ]),
  ...howMany({ resource: ['bot'], operation: ['getAll'] }),
];
