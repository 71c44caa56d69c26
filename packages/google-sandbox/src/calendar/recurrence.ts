import { isDate, type Moment } from './moments.ts';
import { invalidRule, parseRule, type RecurrenceRule, ruleDays } from './recurrence-rule.ts';
import { instantOfWall, isZone, wallOfInstant } from './zone-offsets.ts';

const DAY_MS = 86_400_000;
/** Nothing recurs longer than this after its start; endless rules stop here. */
const LONGEST_SERIES_DAYS = 100 * 366;
/** How many occurrences of an endless series a query without an end sees (two years of days). */
const OPEN_END_LIMIT = 730;

/** One occurrence of a series, before exceptions. */
export type Occurrence = { start: Moment; end: Moment };

type Recurrence = {
  rules: RecurrenceRule[];
  /** Wall-clock times (read as UTC) that are added and taken away. */
  added: number[];
  removed: Set<number>;
};

/** Which part of a series is wanted. Instants in epoch ms. */
export type Window = {
  /** Occurrences that end after this. */
  endsAfter: number;
  /** Occurrences that start before this. */
  startsBefore: number;
};

/** Checks the lines of `recurrence`. @throws ApiError invalid */
export function assertRecurrence(lines: readonly string[], zone: string): void {
  const { rules, added } = parseRecurrence(lines, zone);
  if (rules.length === 0 && added.length === 0) throw invalidRule();
}

/**
 * The occurrences of a series inside a window, in order. Rules run on the wall clock of the start's
 * zone, so that 10:00 stays 10:00 over DST; a wall-clock time that does not exist moves on by the
 * gap, one that exists twice is the first (facts §2 "Times", RFC 5545 §3.3.5 and §3.3.10).
 * @param calendarZone where all-day occurrences begin and end
 */
export function* occurrences(
  shape: { start: Moment; end: Moment; recurrence: readonly string[] },
  calendarZone: string,
  window: Window,
): Generator<Occurrence> {
  const zone = shape.start.allDay ? 'UTC' : shape.start.timeZone;
  const recurrence = parseRecurrence(shape.recurrence, zone);
  const durationMs = durationOf(shape.start, shape.end);
  const edgeZone = shape.start.allDay ? calendarZone : zone;
  const lastWall = Math.min(
    wallMsOf(shape.start) + LONGEST_SERIES_DAYS * DAY_MS,
    window.startsBefore + 2 * DAY_MS,
  );
  let found = 0;
  for (const wallMs of wallTimes(recurrence, wallMsOf(shape.start), lastWall, zone)) {
    const startMs = instantOfWall(edgeZone, wallMs);
    if (startMs >= window.startsBefore) continue;
    const occurrence = occurrenceAt(shape.start, startMs, wallMs, durationMs);
    const endMs = occurrence.end.allDay
      ? instantOfWall(edgeZone, wallMs + durationMs)
      : occurrence.end.epochMs;
    if (endMs <= window.endsAfter) continue;
    yield occurrence;
    found += 1;
    if (window.startsBefore === Number.POSITIVE_INFINITY && found >= OPEN_END_LIMIT) return;
  }
}

function occurrenceAt(
  start: Moment,
  startMs: number,
  wallMs: number,
  durationMs: number,
): Occurrence {
  if (start.allDay) {
    return {
      start: { allDay: true, date: dateOf(wallMs) },
      end: { allDay: true, date: dateOf(wallMs + durationMs) },
    };
  }
  const { timeZone } = start;
  return {
    start: { allDay: false, epochMs: startMs, timeZone },
    end: { allDay: false, epochMs: startMs + durationMs, timeZone },
  };
}

function dateOf(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 10);
}

function durationOf(start: Moment, end: Moment): number {
  if (start.allDay || end.allDay) return wallMsOf(end) - wallMsOf(start);
  return end.epochMs - start.epochMs;
}

/** The wall clock of a moment in its own zone, read as UTC (epoch ms). */
export function wallMsOf(moment: Moment): number {
  if (moment.allDay) return Date.parse(`${moment.date}T00:00:00Z`);
  return wallOfInstant(moment.timeZone, moment.epochMs);
}

/** Rules and added times merged in order, each once, without the removed ones. */
function* wallTimes(
  recurrence: Recurrence,
  startWall: number,
  lastWall: number,
  zone: string,
): Generator<number> {
  const sources = [
    ...recurrence.rules.map((rule) => ruleTimes(rule, startWall, lastWall, zone)),
    recurrence.added.filter((wall) => wall <= lastWall).values(),
  ];
  const heads = sources.map((source) => source.next());
  for (;;) {
    let least = Number.POSITIVE_INFINITY;
    for (const head of heads) if (!head.done && head.value < least) least = head.value;
    if (least === Number.POSITIVE_INFINITY) return;
    heads.forEach((head, index) => {
      if (!head.done && head.value === least) {
        heads[index] = (sources[index] as Iterator<number, undefined>).next();
      }
    });
    if (!recurrence.removed.has(least)) yield least;
  }
}

function* ruleTimes(
  rule: RecurrenceRule,
  startWall: number,
  lastWall: number,
  zone: string,
): Generator<number, undefined> {
  const startDay = Math.floor(startWall / DAY_MS);
  const timeOfDay = startWall - startDay * DAY_MS;
  let count = 0;
  for (const day of ruleDays(rule, startDay, Math.ceil(lastWall / DAY_MS))) {
    const wallMs = day * DAY_MS + timeOfDay;
    if (rule.until !== undefined) {
      const compared = rule.until.isInstant ? instantOfWall(zone, wallMs) : wallMs;
      if (compared > rule.until.ms) return;
    }
    yield wallMs;
    count += 1;
    if (count === rule.count) return;
  }
}

const parsed = new WeakMap<readonly string[], Map<string, Recurrence>>();

function parseRecurrence(lines: readonly string[], zone: string): Recurrence {
  let byZone = parsed.get(lines);
  if (byZone === undefined) {
    byZone = new Map();
    parsed.set(lines, byZone);
  }
  let recurrence = byZone.get(zone);
  if (recurrence === undefined) {
    recurrence = readLines(lines, zone);
    byZone.set(zone, recurrence);
  }
  return recurrence;
}

function readLines(lines: readonly string[], zone: string): Recurrence {
  const recurrence: Recurrence = { rules: [], added: [], removed: new Set() };
  for (const line of lines) {
    const parts = /^(RRULE|RDATE|EXDATE)((?:;[^:]*)?):(.+)$/i.exec(line);
    if (parts === null) throw invalidRule();
    const [, name = '', parameters = '', value = ''] = parts;
    if (name.toUpperCase() === 'RRULE') {
      recurrence.rules.push(parseRule(value));
      continue;
    }
    const times = value.split(',').map((item) => readListedTime(item, parameters, zone));
    if (name.toUpperCase() === 'RDATE') recurrence.added.push(...times);
    else for (const time of times) recurrence.removed.add(time);
  }
  recurrence.added.sort((a, b) => a - b);
  return recurrence;
}

/** A time of RDATE or EXDATE as wall clock of the series' zone. */
function readListedTime(item: string, parameters: string, zone: string): number {
  const parts = /^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z)?)?$/.exec(item.trim());
  if (parts === null) throw invalidRule();
  const [, y, mo, d, h = '00', mi = '00', s = '00', zulu] = parts;
  if (!isDate(`${y}-${mo}-${d}`) || Number(h) > 23 || Number(mi) > 59 || Number(s) > 59) {
    throw invalidRule();
  }
  const wallMs = Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
  if (zulu !== undefined) return wallOfInstant(zone, wallMs);
  const named = /;TZID="?([^";:]+)"?/i.exec(parameters)?.[1];
  if (named === undefined || named === zone) return wallMs;
  if (!isZone(named)) throw invalidRule();
  return wallOfInstant(zone, instantOfWall(named, wallMs));
}
