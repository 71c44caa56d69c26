import type { INodeProperties } from 'n8n-workflow';
import {
  bot,
  durationMinutes,
  further,
  offset,
  operations,
  start,
  timeZone,
  weekday,
} from './shared';

const create = { resource: ['hold'], operation: ['create'] };

export const holdFields: INodeProperties[] = [
  operations(
    'hold',
    [
      {
        name: 'Create',
        value: 'create',
        action: 'Hold a slot',
        description: 'Keep a time for a visitor for a few minutes, before it is booked',
      },
      {
        name: 'Release',
        value: 'release',
        action: 'Release a hold',
        description: 'Give a time back that was kept for a visitor',
      },
    ],
    'create',
  ),
  bot({ resource: ['hold'] }),
  ...start(create),
  {
    displayName: 'Hold ID',
    name: 'holdId',
    type: 'string',
    default: '',
    required: true,
    displayOptions: { show: { resource: ['hold'], operation: ['release'] } },
    description: 'The holdId that creating the hold returned',
  },
  further('Additional Fields', create, [
    durationMinutes,
    {
      displayName: 'Hold for (Minutes)',
      name: 'holdMinutes',
      type: 'number',
      typeOptions: { minValue: 1, maxValue: 30 },
      default: 5,
      description: 'How long to keep it',
    },
    offset,
    timeZone,
    weekday,
  ]),
];
