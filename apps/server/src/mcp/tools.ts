import {
  type AgentTool,
  type AgentToolName,
  agentTools,
  type CalendarStatus,
  type Slots,
} from '@calhook/contract';
import type { Static, TSchema } from 'typebox';
import { botNotFound } from '../api-error.ts';
import type { AppointmentActions } from '../appointments/index.ts';
import type { Bots } from '../bots/bots.ts';
import type { CachedLookup } from '../db/index.ts';
import { requireBotAccess, requireScope } from '../http/callers.ts';
import { bodyReader } from '../http/validation.ts';
import type { Caller } from '../keys/keys.ts';

export interface ToolParts {
  readonly bots: Bots;
  /** Rendered {@link CalendarStatus} by bot. */
  readonly statuses: CachedLookup<string>;
  readonly actions: AppointmentActions;
}

/** @throws {ApiError} for every reason that it cannot be done */
type ToolCall = (input: unknown, caller: Caller) => Promise<object>;

const defaultSlots = 20;

/** A tool behind the checks that the front door makes for routes: scope, input, bot. */
function guarded<Input extends TSchema>(
  tool: AgentTool<Input>,
  call: (input: Static<Input>, caller: Caller) => Promise<object>,
): ToolCall {
  const read = bodyReader(tool.input);
  return async (received, caller) => {
    requireScope(caller, tool.scope);
    const input = read(received);
    requireBotAccess(caller, (input as { botId: string }).botId);
    return call(input, caller);
  };
}

/** What each tool does: what the routes do, called by other names. */
export function toolCalls(parts: ToolParts): Readonly<Record<AgentToolName, ToolCall>> {
  const { bots, statuses, actions } = parts;
  const { slots, holds, booking, changes, answers } = actions;
  return {
    find_slots: guarded(agentTools.find_slots, async (input) => {
      const { botId, limit = defaultSlots, ...query } = input;
      // One more than is told shows whether there are more.
      const { answer } = await slots.slots(botId, { ...query, limit: limit + 1 });
      return firstOf(answer, limit);
    }),
    hold_slot: guarded(agentTools.hold_slot, ({ botId, ...wanted }) => holds.hold(botId, wanted)),
    book: guarded(agentTools.book, async ({ botId, ...wanted }) => {
      const { answer } = await booking.book(botId, wanted, null);
      return answer;
    }),
    reschedule: guarded(agentTools.reschedule, async ({ botId, appointmentId, ...wanted }) =>
      answers.appointment(await changes.reschedule(botId, appointmentId, wanted, 'api')),
    ),
    cancel: guarded(agentTools.cancel, async ({ botId, appointmentId }) => {
      await bots.get(botId);
      return answers.appointment(await changes.cancel(botId, appointmentId, 'api'));
    }),
    status: guarded(agentTools.status, async ({ botId }) => {
      const { name, timeZone, language, durationMinutes } = await bots.get(botId);
      const rendered = await statuses.get(botId);
      if (rendered === undefined) throw botNotFound();
      const { connected, expired, status }: CalendarStatus = JSON.parse(rendered);
      // Agents talk to strangers: the owner's account and reconnect link are not theirs to tell.
      return { connected, expired, status, name, timeZone, language, durationMinutes };
    }),
  };
}

function firstOf({ timeZone, slots, checkedAt }: Slots, limit: number): object {
  return { timeZone, slots: slots.slice(0, limit), more: slots.length > limit, checkedAt };
}
