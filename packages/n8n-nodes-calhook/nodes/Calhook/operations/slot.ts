import type { IDataObject } from 'n8n-workflow';
import { callCalhook } from '../api';
import { collection, type Operation, pathPart, wantedCount } from './parameters';

const getAll: Operation = async (context, itemIndex) => {
  const path = `/api/calendar/slots/${pathPart(context, 'botId', itemIndex)}`;
  const { explain, ...query } = collection(context, itemIndex, 'options');
  const limit = wantedCount(context, itemIndex);
  if (Number.isFinite(limit)) query.limit = limit;
  if (explain) query.explain = 'true';
  const answer = await callCalhook(context, { method: 'GET', path, query, itemIndex });
  const { timeZone } = answer;
  const slots = (answer.slots as IDataObject[]).map((slot) => ({
    ...slot,
    timeZone,
    ...(explain ? { available: true } : {}),
  }));
  const unavailable = ((answer.unavailable ?? []) as IDataObject[]).map((start) => ({
    ...start,
    timeZone,
    available: false,
  }));
  return [...slots, ...unavailable];
};

export const slotOperations = { getAll };
