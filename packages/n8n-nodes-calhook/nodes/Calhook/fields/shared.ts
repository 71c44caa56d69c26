import type { INodeProperties } from 'n8n-workflow';

type Shown = Record<string, (string | boolean)[]>;

/** The operations of a resource. */
export function operations(
  resource: string,
  options: INodeProperties['options'],
  first: string,
): INodeProperties {
  return {
    displayName: 'Operation',
    name: 'operation',
    type: 'options',
    noDataExpression: true,
    displayOptions: { show: { resource: [resource] } },
    options: options ?? [],
    default: first,
  };
}

/** The bot that an operation is for: chosen from a list, or by its ID. */
export function bot(show: Shown): INodeProperties {
  return {
    displayName: 'Bot',
    name: 'botId',
    type: 'resourceLocator',
    default: { mode: 'list', value: '' },
    required: true,
    displayOptions: { show },
    description:
      'The bot whose calendar is meant. The list needs a key with the scope bots:manage.',
    modes: [
      {
        displayName: 'From List',
        name: 'list',
        type: 'list',
        typeOptions: { searchListMethod: 'searchBots', searchable: true },
      },
      {
        displayName: 'By ID',
        name: 'id',
        type: 'string',
        placeholder: 'bot-hopper',
        hint: 'Often an expression, such as the botId that a webhook got',
      },
    ],
  };
}

/** The appointment that an operation is for. */
export function appointment(show: Shown): INodeProperties {
  return {
    displayName: 'Appointment',
    name: 'appointmentId',
    type: 'resourceLocator',
    default: { mode: 'list', value: '' },
    required: true,
    displayOptions: { show },
    description:
      'The appointment. The list needs a key with the scope appointments:read and shows those that stand.',
    modes: [
      {
        displayName: 'From List',
        name: 'list',
        type: 'list',
        typeOptions: {
          searchListMethod: 'searchAppointments',
          searchable: true,
        },
      },
      {
        displayName: 'By ID',
        name: 'id',
        type: 'string',
        placeholder: 'The appointmentId of a booking',
      },
    ],
  };
}

/** A start as a person says it. */
export function start(show: Shown): INodeProperties[] {
  return [
    {
      displayName: 'Date',
      name: 'date',
      type: 'string',
      default: '',
      required: true,
      placeholder: '2027-06-03',
      displayOptions: { show },
      description:
        'The day, written YYYY-MM-DD, in the time zone of the bot unless another one is given',
    },
    {
      displayName: 'Time',
      name: 'time',
      type: 'string',
      default: '',
      required: true,
      placeholder: '10:00',
      displayOptions: { show },
      description: 'The time of day at which it starts, written HH:mm with 24 hours',
    },
  ];
}

export const durationMinutes: INodeProperties = {
  displayName: 'Duration Name or ID',
  name: 'durationMinutes',
  type: 'options',
  typeOptions: { loadOptionsMethod: 'getDurations', loadOptionsDependsOn: ['botId.value'] },
  default: '',
  description:
    'Length in minutes; default: that of the bot. The list needs a key with the scope bots:manage. Choose from the list, or specify an ID using an <a href="https://docs.n8n.io/code/expressions/">expression</a>.',
};

export const timeZone: INodeProperties = {
  displayName: 'Time Zone',
  name: 'timeZone',
  type: 'string',
  default: '',
  placeholder: 'Europe/Berlin',
  description: 'IANA zone that dates and times are meant in; default: that of the bot',
};

export const language: INodeProperties = {
  displayName: 'Language',
  name: 'language',
  type: 'string',
  default: '',
  placeholder: 'de',
  description: 'BCP 47 language of the sentences for the customer; default: that of the bot',
};

export const offset: INodeProperties = {
  displayName: 'UTC Offset',
  name: 'offset',
  type: 'string',
  default: '',
  placeholder: '+02:00',
  description:
    'Checked against the time zone, and tells which of two equal local times is meant when the clocks change',
};

export const weekday: INodeProperties = {
  displayName: 'Weekday',
  name: 'weekday',
  type: 'string',
  default: '',
  placeholder: 'Thursday',
  description:
    'English weekday as the customer said it; refused when the date falls on another one',
};

/** Optional settings of an operation. */
export function further(
  displayName: 'Additional Fields' | 'Options',
  show: Shown,
  options: INodeProperties[],
): INodeProperties {
  return {
    displayName,
    name: displayName === 'Options' ? 'options' : 'additionalFields',
    type: 'collection',
    placeholder: displayName === 'Options' ? 'Add Option' : 'Add Field',
    default: {},
    displayOptions: { show },
    options: [...options].sort((a, b) => (a.displayName < b.displayName ? -1 : 1)),
  };
}

/** Whether all members of a list are wanted, or how many. */
export function howMany(show: Shown): INodeProperties[] {
  return [
    {
      displayName: 'Return All',
      name: 'returnAll',
      type: 'boolean',
      default: false,
      displayOptions: { show },
      description: 'Whether to return all results or only up to a given limit',
    },
    {
      displayName: 'Limit',
      name: 'limit',
      type: 'number',
      typeOptions: { minValue: 1 },
      default: 50,
      displayOptions: { show: { ...show, returnAll: [false] } },
      description: 'Max number of results to return',
    },
  ];
}
