import type { INodeProperties } from 'n8n-workflow';
import { bot, durationMinutes, further, howMany, language, operations, timeZone } from './shared';

const getAll = { resource: ['slot'], operation: ['getAll'] };

export const slotFields: INodeProperties[] = [
  operations(
    'slot',
    [
      {
        name: 'Get Many',
        value: 'getAll',
        action: 'Get many slots',
        description: 'List the free times of a bot that can be booked now',
      },
    ],
    'getAll',
  ),
  bot(getAll),
  ...howMany(getAll),
  further('Options', getAll, [
    durationMinutes,
    {
      displayName: 'From',
      name: 'from',
      type: 'string',
      default: '',
      placeholder: '2027-06-03',
      description: 'First day to offer, written YYYY-MM-DD, or a date-time; default: now',
    },
    {
      displayName: 'Include Unavailable',
      name: 'explain',
      type: 'boolean',
      default: false,
      description:
        'Whether to return also the starts that are not offered, with available: false and the reason',
    },
    language,
    timeZone,
    {
      displayName: 'To',
      name: 'to',
      type: 'string',
      default: '',
      placeholder: '2027-06-10',
      description: 'Last day to offer, or a date-time; default: 7 days after From, at most 92',
    },
  ]),
];
