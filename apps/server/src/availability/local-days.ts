/**
 * Days and weeks by the clock on the wall, as whole numbers: day 0 is 1970-01-01.
 *
 * A day has 24 hours there, always. So these numbers are added to wall-clock times, never to instants.
 */
export const minuteMs = 60_000;
export const dayMs = 1_440 * minuteMs;

/** 1970-01-01 was a Thursday. */
const daysSinceMonday = 3;

export function dayOf(wallMs: number): number {
  return Math.floor(wallMs / dayMs);
}

/** 0 is Monday. */
export function weekdayOf(day: number): number {
  return day + daysSinceMonday - 7 * isoWeekOf(day);
}

/** Weeks from Monday to Sunday, counted on across years. */
export function isoWeekOf(day: number): number {
  return Math.floor((day + daysSinceMonday) / 7);
}

export function firstDayOfWeek(week: number): number {
  return week * 7 - daysSinceMonday;
}

/** @throws {RangeError} when it is no date of the form `YYYY-MM-DD` */
export function dayOfDate(date: string): number {
  const wallMs = /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(`${date}T00:00Z`) : Number.NaN;
  if (Number.isNaN(wallMs) || !new Date(wallMs).toISOString().startsWith(date)) {
    throw new RangeError(`${date} is no date`);
  }
  return dayOf(wallMs);
}

/** @returns `YYYY-MM-DDTHH:mm` */
export function describeWallClock(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 16);
}

/** Milliseconds after midnight of `HH:mm`; `24:00` is the end of the day. */
export function clockTimeMs(clock: string): number {
  return Number(clock.slice(0, 2)) * 60 * minuteMs + Number(clock.slice(3, 5)) * minuteMs;
}
