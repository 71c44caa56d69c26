import { ApiError } from './errors.ts';

const DAY_MS = 86_400_000;

/** An RRULE of RFC 5545 §3.3.10 as far as calendars go: from YEARLY down to DAILY. */
export type RecurrenceRule = {
  frequency: 'YEARLY' | 'MONTHLY' | 'WEEKLY' | 'DAILY';
  interval: number;
  count: number | undefined;
  /** Last moment: a UTC instant, or a wall-clock time / day (read as UTC). */
  until: { ms: number; isInstant: boolean } | undefined;
  byMonth: number[];
  byMonthDay: number[];
  byYearDay: number[];
  byWeekNumber: number[];
  /** weekday 0 = Monday; nth 0 = every one. */
  byDay: { weekday: number; nth: number }[];
  bySetPosition: number[];
  weekStart: number;
};

const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];
const FREQUENCIES = ['YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY'] as const;

/** Reads the part after `RRULE:`. @throws ApiError invalid */
export function parseRule(text: string): RecurrenceRule {
  const parts = new Map<string, string>();
  for (const part of text.split(';')) {
    const [name = '', value = ''] = part.split('=');
    if (parts.has(name.toUpperCase())) throw invalidRule();
    parts.set(name.toUpperCase(), value.toUpperCase());
  }
  for (const name of parts.keys()) if (!KNOWN_PARTS.has(name)) throw invalidRule();
  const frequency = FREQUENCIES.find((known) => known === parts.get('FREQ'));
  if (frequency === undefined) throw invalidRule();
  const count = parts.get('COUNT');
  const until = parts.get('UNTIL');
  if (count !== undefined && until !== undefined) throw invalidRule();
  return {
    frequency,
    interval: numberIn(parts.get('INTERVAL') ?? '1', 1, 10_000),
    count: count === undefined ? undefined : numberIn(count, 1, 100_000),
    until: until === undefined ? undefined : readUntil(until),
    byMonth: numbers(parts.get('BYMONTH'), 1, 12, false),
    byMonthDay: numbers(parts.get('BYMONTHDAY'), 1, 31, true),
    byYearDay: numbers(parts.get('BYYEARDAY'), 1, 366, true),
    byWeekNumber: numbers(parts.get('BYWEEKNO'), 1, 53, true),
    byDay: (parts.get('BYDAY') ?? '').split(',').filter(Boolean).map(readWeekday),
    bySetPosition: numbers(parts.get('BYSETPOS'), 1, 366, true),
    weekStart:
      WEEKDAYS.indexOf(parts.get('WKST') ?? 'MO') >= 0
        ? WEEKDAYS.indexOf(parts.get('WKST') ?? 'MO')
        : fail(),
  };
}

const KNOWN_PARTS = new Set(
  'FREQ INTERVAL COUNT UNTIL BYMONTH BYMONTHDAY BYYEARDAY BYWEEKNO BYDAY BYSETPOS WKST'.split(' '),
);

export function invalidRule(): ApiError {
  return new ApiError('invalid', { message: 'Invalid recurrence rule.' });
}

function fail(): never {
  throw invalidRule();
}

function numberIn(text: string, from: number, to: number): number {
  const value = /^[+-]?\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= from && value <= to)) throw invalidRule();
  return value;
}

function numbers(text: string | undefined, from: number, to: number, signed: boolean): number[] {
  if (text === undefined || text === '') return [];
  return text.split(',').map((item) => {
    const value = numberIn(item, signed ? -to : from, to);
    return value === 0 || Math.abs(value) < from ? fail() : value;
  });
}

function readWeekday(text: string): { weekday: number; nth: number } {
  const parts = /^([+-]?\d{1,2})?([A-Z]{2})$/.exec(text);
  const weekday = WEEKDAYS.indexOf(parts?.[2] ?? '');
  const nth = Number(parts?.[1] ?? 0);
  if (weekday < 0 || Math.abs(nth) > 53) throw invalidRule();
  return { weekday, nth };
}

/** `20261231`, `20261231T235959` or `20261231T235959Z`. A day lasts until its last moment. */
function readUntil(text: string): { ms: number; isInstant: boolean } {
  const parts = /^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z)?)?$/.exec(text);
  if (parts === null) throw invalidRule();
  const [, y, mo, d, h, mi, s, zulu] = parts;
  const day = Date.UTC(Number(y), Number(mo) - 1, Number(d));
  if (h === undefined) return { ms: day + DAY_MS - 1, isInstant: false };
  const ms = day + (Number(h) * 3600 + Number(mi) * 60 + Number(s)) * 1000;
  return { ms, isInstant: zulu !== undefined };
}

/**
 * The days on which a rule falls, from the start's day on, in order. Wall-clock arithmetic only:
 * days are counted from 1970-01-01, zones play no part.
 * @param lastDay no day after this one is looked at
 */
export function* ruleDays(
  rule: RecurrenceRule,
  startDay: number,
  lastDay: number,
): Generator<number> {
  const filled = withStartAsDefault(rule, startDay);
  for (let step = 0; ; step += 1) {
    const period = periodAt(filled, startDay, step * rule.interval);
    if (period.first > lastDay) return;
    const matching: number[] = [];
    for (let day = period.first; day <= period.last; day += 1) {
      if (matches(filled, day)) matching.push(day);
    }
    for (const day of atPositions(matching, rule.bySetPosition)) {
      if (day > lastDay) return;
      if (day >= startDay) yield day;
    }
  }
}

/** Without any BY… part that picks days, the start's own day decides (RFC 5545 §3.3.10). */
function withStartAsDefault(rule: RecurrenceRule, startDay: number): RecurrenceRule {
  const picksDays =
    rule.byWeekNumber.length + rule.byYearDay.length + rule.byMonthDay.length + rule.byDay.length >
    0;
  if (picksDays || rule.frequency === 'DAILY') return rule;
  const start = partsOf(startDay);
  if (rule.frequency === 'WEEKLY') return { ...rule, byDay: [{ weekday: start.weekday, nth: 0 }] };
  const byMonthDay = [start.dayOfMonth];
  if (rule.frequency === 'MONTHLY') return { ...rule, byMonthDay };
  return { ...rule, byMonthDay, byMonth: rule.byMonth.length > 0 ? rule.byMonth : [start.month] };
}

function periodAt(
  rule: RecurrenceRule,
  startDay: number,
  offset: number,
): { first: number; last: number } {
  const start = partsOf(startDay);
  switch (rule.frequency) {
    case 'DAILY':
      return { first: startDay + offset, last: startDay + offset };
    case 'WEEKLY': {
      const first = startDay - ((start.weekday - rule.weekStart + 7) % 7) + 7 * offset;
      return { first, last: first + 6 };
    }
    case 'MONTHLY': {
      const month = start.year * 12 + start.month - 1 + offset;
      return { first: firstOfMonth(month), last: firstOfMonth(month + 1) - 1 };
    }
    case 'YEARLY': {
      const year = start.year + offset;
      return { first: firstOfMonth(year * 12), last: firstOfMonth((year + 1) * 12) - 1 };
    }
  }
}

function atPositions(days: number[], positions: number[]): number[] {
  if (positions.length === 0) return days;
  const chosen = positions.map(
    (position) => days[position > 0 ? position - 1 : days.length + position],
  );
  return [...new Set(chosen.filter((day) => day !== undefined))].sort((a, b) => a - b);
}

function matches(rule: RecurrenceRule, day: number): boolean {
  const parts = partsOf(day);
  if (rule.byMonth.length > 0 && !rule.byMonth.includes(parts.month)) return false;
  if (rule.byMonthDay.length > 0) {
    const fromEnd = parts.dayOfMonth - parts.daysInMonth - 1;
    if (!rule.byMonthDay.includes(parts.dayOfMonth) && !rule.byMonthDay.includes(fromEnd)) {
      return false;
    }
  }
  if (rule.byYearDay.length > 0) {
    const fromEnd = parts.dayOfYear - parts.daysInYear - 1;
    if (!rule.byYearDay.includes(parts.dayOfYear) && !rule.byYearDay.includes(fromEnd)) {
      return false;
    }
  }
  if (rule.byWeekNumber.length > 0 && !inWeekNumber(rule, day, parts.year)) return false;
  return rule.byDay.length === 0 || rule.byDay.some((entry) => isThatWeekday(rule, entry, parts));
}

function isThatWeekday(
  rule: RecurrenceRule,
  { weekday, nth }: { weekday: number; nth: number },
  parts: DayParts,
): boolean {
  if (weekday !== parts.weekday) return false;
  if (nth === 0 || rule.frequency === 'WEEKLY' || rule.frequency === 'DAILY') return true;
  const inMonth = rule.frequency === 'MONTHLY' || rule.byMonth.length > 0;
  const place = inMonth ? parts.dayOfMonth : parts.dayOfYear;
  const length = inMonth ? parts.daysInMonth : parts.daysInYear;
  return nth > 0 ? Math.ceil(place / 7) === nth : Math.ceil((length - place + 1) / 7) === -nth;
}

/**
 * ISO-like weeks: week 1 is the first with at least four days in the year. The days before it are
 * the last week of the year before, those after the last week are week 1 of the next year.
 */
function inWeekNumber(rule: RecurrenceRule, day: number, year: number): boolean {
  const { byWeekNumber, weekStart } = rule;
  const firstWeek = firstWeekOf(year, weekStart);
  const nextFirstWeek = firstWeekOf(year + 1, weekStart);
  if (day >= nextFirstWeek) return byWeekNumber.includes(1);
  if (day < firstWeek) {
    const lastWeek = (firstWeek - firstWeekOf(year - 1, weekStart)) / 7;
    return byWeekNumber.includes(lastWeek) || byWeekNumber.includes(-1);
  }
  const weeks = (nextFirstWeek - firstWeek) / 7;
  const week = Math.floor((day - firstWeek) / 7) + 1;
  return byWeekNumber.includes(week) || byWeekNumber.includes(week - weeks - 1);
}

function firstWeekOf(year: number, weekStart: number): number {
  const newYear = firstOfMonth(year * 12);
  const sinceWeekStart = (partsOf(newYear).weekday - weekStart + 7) % 7;
  return sinceWeekStart <= 3 ? newYear - sinceWeekStart : newYear + 7 - sinceWeekStart;
}

/** Days since 1970-01-01 of the first of a month, months counted from year 0. */
function firstOfMonth(monthIndex: number): number {
  return Date.UTC(Math.floor(monthIndex / 12), monthIndex % 12, 1) / DAY_MS;
}

type DayParts = {
  year: number;
  month: number;
  dayOfMonth: number;
  dayOfYear: number;
  daysInMonth: number;
  daysInYear: number;
  weekday: number;
};

function partsOf(day: number): DayParts {
  const date = new Date(day * DAY_MS);
  const year = date.getUTCFullYear();
  const month = date.getUTCMonth() + 1;
  const newYear = firstOfMonth(year * 12);
  const monthIndex = year * 12 + month - 1;
  return {
    year,
    month,
    dayOfMonth: date.getUTCDate(),
    dayOfYear: day - newYear + 1,
    daysInMonth: firstOfMonth(monthIndex + 1) - firstOfMonth(monthIndex),
    daysInYear: firstOfMonth((year + 1) * 12) - newYear,
    weekday: (date.getUTCDay() + 6) % 7,
  };
}
