import { callCalhook } from '../api';
import { collection, type Operation, parameters, pathPart } from './parameters';

const create: Operation = async (context, itemIndex) => {
  const path = `/api/calendar/hold/${pathPart(context, 'botId', itemIndex)}`;
  const body = {
    ...parameters(context, itemIndex, ['date', 'time']),
    ...collection(context, itemIndex, 'additionalFields'),
  };
  return [await callCalhook(context, { method: 'POST', path, body, itemIndex })];
};

const release: Operation = async (context, itemIndex) => {
  const holdId = pathPart(context, 'holdId', itemIndex);
  const path = `/api/calendar/hold/${pathPart(context, 'botId', itemIndex)}/${holdId}`;
  await callCalhook(context, { method: 'DELETE', path, itemIndex });
  return [{ success: true, holdId: decodeURIComponent(holdId) }];
};

export const holdOperations = { create, release };
