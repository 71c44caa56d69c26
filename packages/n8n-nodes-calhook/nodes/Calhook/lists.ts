import type {
  IDataObject,
  ILoadOptionsFunctions,
  INodeListSearchResult,
  INodePropertyOptions,
} from 'n8n-workflow';
import { callCalhook } from './api';

const pageSize = 100;
/** What is offered for bots that take any duration. */
const usualDurations = [15, 30, 45, 60, 90, 120];

function matches(filter: string | undefined, ...texts: unknown[]): boolean {
  const wanted = (filter ?? '').trim().toLowerCase();
  return texts.some((text) => String(text).toLowerCase().includes(wanted));
}

function nextPage(page: IDataObject): { paginationToken?: string } {
  return typeof page.nextCursor === 'string' ? { paginationToken: page.nextCursor } : {};
}

function chosenBot(context: ILoadOptionsFunctions): string {
  return String(context.getCurrentNodeParameter('botId', { extractValue: true }) ?? '');
}

/** The bots that the key may see, a page at a time. */
export async function searchBots(
  this: ILoadOptionsFunctions,
  filter?: string,
  paginationToken?: string,
): Promise<INodeListSearchResult> {
  const query = { limit: pageSize, ...(paginationToken ? { cursor: paginationToken } : {}) };
  const page = await callCalhook(this, { method: 'GET', path: '/api/bots', query });
  const results = (page.bots as IDataObject[])
    .filter(({ id, name }) => matches(filter, id, name))
    .map(({ id, name }) => ({ name: `${name} (${id})`, value: String(id) }));
  return { results, ...nextPage(page) };
}

/** The appointments of the chosen bot that stand, newest first, a page at a time. */
export async function searchAppointments(
  this: ILoadOptionsFunctions,
  filter?: string,
  paginationToken?: string,
): Promise<INodeListSearchResult> {
  const botId = chosenBot(this);
  if (!botId) return { results: [] };
  const page = await callCalhook(this, {
    method: 'GET',
    path: `/api/calendar/appointments/${encodeURIComponent(botId)}`,
    query: { limit: pageSize, ...(paginationToken ? { cursor: paginationToken } : {}) },
  });
  const results = (page.appointments as IDataObject[])
    .filter(({ status }) => status === 'confirmed' || status === 'pending')
    .filter(({ id, customerName, email, when }) => matches(filter, id, customerName, email, when))
    .map(({ id, customerName, when }) => ({ name: `${customerName}: ${when}`, value: String(id) }));
  return { results, ...nextPage(page) };
}

/** The durations that the chosen bot takes; the usual ones when it takes any. */
export async function getDurations(this: ILoadOptionsFunctions): Promise<INodePropertyOptions[]> {
  const botId = chosenBot(this);
  const bot = botId
    ? await callCalhook(this, { method: 'GET', path: `/api/bots/${encodeURIComponent(botId)}` })
    : {};
  const usual = Number(bot.durationMinutes ?? 0);
  const offered = (bot.durationsMinutes as number[] | null | undefined) ?? usualDurations;
  const durations = [...new Set(usual ? [usual, ...offered] : offered)].sort((a, b) => a - b);
  return durations.map((minutes) => ({
    name: minutes === usual ? `${minutes} Minutes (of the Bot)` : `${minutes} Minutes`,
    value: minutes,
  }));
}
