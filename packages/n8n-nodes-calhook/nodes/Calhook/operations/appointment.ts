import { createHash } from 'node:crypto';
import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import { callCalhook, callForAll } from '../api';
import { collection, type Operation, parameters, pathPart, wantedCount } from './parameters';

const book: Operation = async (context, itemIndex) => {
  const botId = pathPart(context, 'botId', itemIndex);
  const { idempotencyKey, answers, ...fields } = collection(context, itemIndex, 'additionalFields');
  const body: IDataObject = {
    ...parameters(context, itemIndex, ['customerName', 'email', 'date', 'time']),
    ...fields,
  };
  const given = answersOf(answers);
  if (Object.keys(given).length > 0) body.answers = given;
  const key = idempotencyKey ?? keyOfExecution(context, itemIndex, { botId, body });
  return [
    await callCalhook(context, {
      method: 'POST',
      path: `/api/calendar/create-event/${botId}`,
      body,
      itemIndex,
      headers: { 'Idempotency-Key': String(key) },
    }),
  ];
};

/**
 * The mark of a booking, for when a node runs again with the same item (Retry On Fail): the same
 * then, another one in each execution, run of a loop, node and item.
 */
function keyOfExecution(context: IExecuteFunctions, itemIndex: number, wanted: object): string {
  const { $runIndex } = context.getWorkflowDataProxy(itemIndex);
  const run = [context.getInstanceId(), context.getExecutionId(), context.getNode().id, $runIndex];
  const hash = createHash('sha256').update(JSON.stringify([...run, itemIndex, wanted]));
  return `n8n-${hash.digest('hex')}`;
}

function answersOf(answers: unknown): IDataObject {
  const { answer = [] } = (answers ?? {}) as { answer?: { name: string; value: unknown }[] };
  return Object.fromEntries(
    answer
      .filter(({ value }) => value !== '' && value !== null && value !== undefined)
      .map(({ name, value }) => [
        name,
        typeof value === 'object' ? JSON.stringify(value) : String(value),
      ]),
  );
}

const change =
  (route: 'cancel-event' | 'reschedule-event'): Operation =>
  async (context, itemIndex) => {
    const botId = pathPart(context, 'botId', itemIndex);
    const appointmentId = pathPart(context, 'appointmentId', itemIndex);
    const body =
      route === 'cancel-event'
        ? {}
        : {
            body: {
              ...parameters(context, itemIndex, ['date', 'time']),
              ...collection(context, itemIndex, 'additionalFields'),
            },
          };
    const path = `/api/calendar/${route}/${botId}/${appointmentId}`;
    return [await callCalhook(context, { method: 'POST', path, itemIndex, ...body })];
  };

const get: Operation = async (context, itemIndex) => {
  const botId = pathPart(context, 'botId', itemIndex);
  const path = `/api/calendar/appointments/${botId}/${pathPart(context, 'appointmentId', itemIndex)}`;
  return [await callCalhook(context, { method: 'GET', path, itemIndex })];
};

const getAll: Operation = (context, itemIndex) => {
  const path = `/api/calendar/appointments/${pathPart(context, 'botId', itemIndex)}`;
  const limit = wantedCount(context, itemIndex);
  return callForAll(context, { path, itemIndex }, 'appointments', limit);
};

export const appointmentOperations = {
  book,
  cancel: change('cancel-event'),
  get,
  getAll,
  reschedule: change('reschedule-event'),
};
