import Type, { type TSchema } from 'typebox';
import { CreateEvent, customerName } from './appointments.ts';
import { BotParams, strictObject } from './common.ts';
import { CreateHold, RescheduleEvent } from './holds.ts';
import type { ApiKeyScope } from './keys.ts';
import { SlotsQuery } from './slots.ts';

/** A tool that agents call over MCP; it does what the HTTP route of the same purpose does. */
export interface AgentTool<Input extends TSchema = TSchema> {
  readonly title: string;
  /** For the model: what it does, when to call it, what its answer means. */
  readonly description: string;
  /** The scope that the API key must have. */
  readonly scope: ApiKeyScope;
  readonly input: Input;
  /** Hints for the host, by which it decides what to ask people about. */
  readonly hints: {
    readonly readOnlyHint: boolean;
    readonly destructiveHint: boolean;
    readonly idempotentHint: boolean;
    readonly openWorldHint: boolean;
  };
}

const { botId } = BotParams.properties;
const appointmentId = Type.String({
  maxLength: 100,
  description: '`appointmentId` of the booking: apt-…',
});
const reads = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
};
/** Invitations and notices of Google reach people outside. */
const writes = { ...reads, readOnlyHint: false, openWorldHint: true };

const slotFields = Type.Omit(SlotsQuery, ['explain', 'limit']).properties;
const bookingFields = Type.Omit(CreateEvent, ['customerName', 'fullName']).properties;

function agentTool<Input extends TSchema>(tool: AgentTool<Input>): AgentTool<Input> {
  return tool;
}

/** Every tool by its name. */
export const agentTools = {
  find_slots: agentTool({
    title: 'Find free times',
    description:
      'Lists the times at which an appointment may be booked with a bot, earliest first. Call it before offering any time. Each slot has `date` and `time`, in `timeZone`, to pass on to hold_slot or book, and `label` to read out. `more` says that further slots follow: ask again with a later `from`. No slots means that nothing is free between `from` and `to`.',
    scope: 'slots:read',
    input: strictObject({
      botId,
      ...slotFields,
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 200, description: 'Most slots to list; default: 20.' }),
      ),
    }),
    hints: reads,
  }),
  hold_slot: agentTool({
    title: 'Keep a time',
    description:
      'Keeps a free time for some minutes, while the customer’s name and e-mail are asked for. Pass the `holdId` of the answer to book. It is no booking: without book the time is free again at `expiresAt`.',
    scope: 'appointments:write',
    input: strictObject({ botId, ...CreateHold.properties }),
    hints: { ...writes, idempotentHint: false, openWorldHint: false },
  }),
  book: agentTool({
    title: 'Book an appointment',
    description:
      'Books an appointment, for a name, an e-mail address and a time that the customer has confirmed; Google sends the invitation. It is booked only when the answer has `success: true`; with status `pending` it is booked and comes into the calendar later. Tell the customer `when`, and `manageUrl` for changes; keep `appointmentId` for reschedule and cancel. The same call made twice books once.',
    scope: 'appointments:write',
    input: strictObject({
      botId,
      customerName,
      ...bookingFields,
    }),
    hints: writes,
  }),
  reschedule: agentTool({
    title: 'Move an appointment',
    description:
      'Moves an appointment to another free time, in the customer’s zone unless `timeZone` says otherwise. Its old time is free only when the new one is taken; a refusal changes nothing.',
    scope: 'appointments:write',
    input: strictObject({ botId, appointmentId, ...RescheduleEvent.properties }),
    hints: { ...writes, destructiveHint: true },
  }),
  cancel: agentTool({
    title: 'Cancel an appointment',
    description:
      'Cancels an appointment and frees its time; Google tells the customer. It cannot be undone: call it only when the customer has clearly asked for it.',
    scope: 'appointments:write',
    input: strictObject({ botId, appointmentId }),
    hints: { ...writes, destructiveHint: true },
  }),
  status: agentTool({
    title: 'Whether a bot can be booked',
    description:
      'Says whether a bot can be booked: only when `connected` is true and `expired` is false. Otherwise its owner has to connect the calendar, which you cannot do. Also tells the bot’s name, time zone, language and usual length of an appointment.',
    scope: 'status:read',
    input: strictObject({ botId }),
    hints: reads,
  }),
} as const;
export type AgentToolName = keyof typeof agentTools;
export const agentToolNames = Object.keys(agentTools) as AgentToolName[];
