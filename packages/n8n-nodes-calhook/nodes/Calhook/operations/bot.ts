import { type IDataObject, type IExecuteFunctions, NodeOperationError } from 'n8n-workflow';
import { callCalhook, callForAll } from '../api';
import { collection, type Operation, parameters, pathPart, wantedCount } from './parameters';

const create: Operation = async (context, itemIndex) => {
  const { weeklyHours, ...fields } = collection(context, itemIndex, 'additionalFields');
  const body = {
    ...parameters(context, itemIndex, ['name']),
    ...fields,
    ...(weeklyHours === undefined ? {} : { weeklyHours: asJson(context, itemIndex, weeklyHours) }),
  };
  return [await callCalhook(context, { method: 'POST', path: '/api/bots', body, itemIndex })];
};

function asJson(context: IExecuteFunctions, itemIndex: number, value: unknown): IDataObject {
  if (typeof value !== 'string') return value as IDataObject;
  try {
    return JSON.parse(value) as IDataObject;
  } catch {
    throw new NodeOperationError(context.getNode(), 'Weekly Hours is not valid JSON', {
      itemIndex,
    });
  }
}

const createConnectLink: Operation = async (context, itemIndex) => {
  const path = `/api/calendar/connect/${pathPart(context, 'botId', itemIndex)}`;
  return [await callCalhook(context, { method: 'POST', path, itemIndex })];
};

const getAll: Operation = (context, itemIndex) => {
  const limit = wantedCount(context, itemIndex);
  return callForAll(context, { path: '/api/bots', itemIndex }, 'bots', limit);
};

const getStatus: Operation = async (context, itemIndex) => {
  const path = `/api/calendar/status/${pathPart(context, 'botId', itemIndex)}`;
  return [await callCalhook(context, { method: 'GET', path, itemIndex })];
};

export const botOperations = { create, createConnectLink, getAll, getStatus };
