import type {
  Bot,
  CreateBot,
  DateOverride,
  HoursRange,
  UpdateBot,
  WeeklyHours,
} from '@calhook/contract';
import { ApiError } from '../api-error.ts';
import { languageTag } from '../availability/local-time.ts';

/** When a bot may be booked, beside its hours and length; what is kept in `bots.rules`. */
export type StoredRules = Pick<
  Bot,
  | 'dateOverrides'
  | 'durationsMinutes'
  | 'slotStepMinutes'
  | 'bufferBeforeMinutes'
  | 'bufferAfterMinutes'
  | 'minimumNoticeMinutes'
  | 'horizonDays'
  | 'maxPerDay'
  | 'maxPerWeek'
  | 'acceptPending'
  | 'busyCalendars'
>;

const officeHours = [{ start: '09:00', end: '17:00' }];

/** The hours of a bot that was made without any: weekdays, 9 to 17. */
export const defaultHours: WeeklyHours = {
  monday: officeHours,
  tuesday: officeHours,
  wednesday: officeHours,
  thursday: officeHours,
  friday: officeHours,
};

/** The rules of a bot that was made without any. */
export const defaultRules: StoredRules = {
  dateOverrides: [],
  durationsMinutes: null,
  slotStepMinutes: 15,
  bufferBeforeMinutes: 0,
  bufferAfterMinutes: 0,
  minimumNoticeMinutes: 60,
  horizonDays: 365,
  maxPerDay: null,
  maxPerWeek: null,
  acceptPending: false,
  busyCalendars: [],
};

function invalid(reason: string): ApiError {
  return new ApiError('invalid_request', { values: { reason } });
}

function requireRanges(ranges: readonly HoursRange[], of: string): void {
  const sorted = [...ranges].sort((a, b) => a.start.localeCompare(b.start));
  sorted.forEach((range, i) => {
    const next = sorted[i + 1];
    if (range.end <= range.start || (next && next.start < range.end)) {
      throw invalid(`the hours of ${of} end before they begin, or overlap`);
    }
  });
}

/** @throws {ApiError} `invalid_request` when a range ends before it begins, or two overlap */
export function requireHours(hours: WeeklyHours | null): string | null {
  if (hours === null) return null;
  for (const [day, ranges] of Object.entries(hours)) requireRanges(ranges, day);
  return JSON.stringify(hours);
}

function requireOverrides(overrides: readonly DateOverride[]): void {
  const dates = new Set<string>();
  for (const { date, ranges } of overrides) {
    try {
      Temporal.PlainDate.from(date, { overflow: 'reject' });
    } catch {
      throw new ApiError('invalid_date', { values: { date } });
    }
    if (dates.has(date)) throw invalid(`dateOverrides names ${date} twice`);
    dates.add(date);
    requireRanges(ranges, date);
  }
}

/**
 * The rules as they are to be stored.
 *
 * @throws {ApiError} `invalid_request`, `invalid_date` naming what contradicts itself
 */
export function requireRules(before: StoredRules, change: CreateBot | UpdateBot): StoredRules {
  const names = Object.keys(defaultRules) as (keyof StoredRules)[];
  const given = names.filter((name) => change[name] !== undefined);
  const rules: StoredRules = {
    ...before,
    ...Object.fromEntries(given.map((name) => [name, change[name]])),
  };
  requireOverrides(rules.dateOverrides);
  if (rules.maxPerDay !== null && rules.maxPerWeek !== null && rules.maxPerWeek < rules.maxPerDay) {
    throw invalid('maxPerWeek is less than maxPerDay');
  }
  return rules;
}

/** @throws {ApiError} `invalid_request` when it is no language tag */
export function requireLanguage(language: string): string {
  const tag = languageTag(language);
  if (tag === null) throw invalid(`"${language}" is not a language tag such as en or pt-BR`);
  return tag;
}
