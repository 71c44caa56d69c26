import {
  type IDataObject,
  type IExecuteFunctions,
  type INodeExecutionData,
  type INodeType,
  type INodeTypeDescription,
  type JsonObject,
  NodeApiError,
  NodeConnectionTypes,
  NodeOperationError,
} from 'n8n-workflow';
import { problemOf } from './api';
import { appointmentFields } from './fields/appointment';
import { botFields } from './fields/bot';
import { holdFields } from './fields/hold';
import { slotFields } from './fields/slot';
import { getDurations, searchAppointments, searchBots } from './lists';
import { appointmentOperations } from './operations/appointment';
import { botOperations } from './operations/bot';
import { holdOperations } from './operations/hold';
import type { Operation } from './operations/parameters';
import { slotOperations } from './operations/slot';

const operations: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  appointment: appointmentOperations,
  bot: botOperations,
  hold: holdOperations,
  slot: slotOperations,
};

export class Calhook implements INodeType {
  description: INodeTypeDescription = {
    displayName: 'Calhook',
    name: 'calhook',
    icon: { light: 'file:../../icons/calhook.svg', dark: 'file:../../icons/calhook.dark.svg' },
    group: ['transform'],
    version: 1,
    subtitle: '={{$parameter["operation"] + ": " + $parameter["resource"]}}',
    description: "Find, hold, book, move and cancel appointments in each client's Google Calendar",
    defaults: { name: 'Calhook' },
    usableAsTool: true,
    inputs: [NodeConnectionTypes.Main],
    outputs: [NodeConnectionTypes.Main],
    credentials: [{ name: 'calhookApi', required: true }],
    properties: [
      {
        displayName: 'Resource',
        name: 'resource',
        type: 'options',
        noDataExpression: true,
        options: [
          { name: 'Appointment', value: 'appointment' },
          { name: 'Bot', value: 'bot' },
          { name: 'Hold', value: 'hold' },
          { name: 'Slot', value: 'slot' },
        ],
        default: 'appointment',
      },
      ...appointmentFields,
      ...botFields,
      ...holdFields,
      ...slotFields,
    ],
  };

  methods = {
    listSearch: { searchAppointments, searchBots },
    loadOptions: { getDurations },
  };

  async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
    const results: INodeExecutionData[] = [];
    // n8n makes the type of the tool by this suffix.
    const isTool = this.getNode().type.endsWith('Tool');
    for (const itemIndex of this.getInputData().keys()) {
      try {
        const answers = await run(this, itemIndex);
        // An empty list reaches a model as an empty text, which it may take for anything.
        if (isTool && answers.length === 0) answers.push({ found: 0 });
        results.push(...answers.map((json) => ({ json, pairedItem: { item: itemIndex } })));
      } catch (error) {
        const problem = isTool ? problemOf(error) : null;
        if (problem) {
          // Of an error n8n tells a model the message, or nothing; the refusal has the alternatives.
          results.push({ json: problem, pairedItem: { item: itemIndex } });
          continue;
        }
        const failure = new NodeApiError(this.getNode(), error as JsonObject, {
          message: (error as Error).message,
          itemIndex,
        });
        if (!this.continueOnFail()) throw failure;
        // With these names alone n8n knows it for an error, and leaves the rest as it is.
        const details = problemOf(failure);
        const json = { error: failure.message, ...(details ? { details } : {}) };
        results.push({ json, pairedItem: { item: itemIndex } });
      }
    }
    return [results];
  }
}

function run(context: IExecuteFunctions, itemIndex: number): Promise<IDataObject[]> {
  const resource = String(context.getNodeParameter('resource', itemIndex));
  const operation = String(context.getNodeParameter('operation', itemIndex));
  const work = operations[resource]?.[operation];
  if (!work) {
    const message = `Calhook has no operation ${operation} of ${resource}`;
    throw new NodeOperationError(context.getNode(), message, { itemIndex });
  }
  return work(context, itemIndex);
}
