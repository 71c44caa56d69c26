/**
 * ISO 8601 text of instants, as `Date.prototype.toISOString` writes it but several times as fast:
 * consecutive calls mostly fall on the same few days, whose date part is remembered.
 */
const DAY_MS = 86_400_000;
const KEPT_DAYS = 512;
const datesByDay = new Map<number, string>();

const TWO_DIGITS = Array.from({ length: 100 }, (_, value) => String(value).padStart(2, '0'));

/** `2026-01-01` of a day counted from 1970-01-01. */
function dateOfDay(day: number): string {
  let date = datesByDay.get(day);
  if (date === undefined) {
    if (datesByDay.size >= KEPT_DAYS) datesByDay.clear();
    date = new Date(day * DAY_MS).toISOString().slice(0, -14);
    datesByDay.set(day, date);
  }
  return date;
}

/** `2026-01-01T10:00:00` of epoch ms in UTC; fractions are cut off. */
export function isoSeconds(epochMs: number): string {
  const day = Math.floor(epochMs / DAY_MS);
  const second = Math.floor((epochMs - day * DAY_MS) / 1000);
  const minute = Math.floor(second / 60);
  const hour = Math.floor(minute / 60);
  return `${dateOfDay(day)}T${TWO_DIGITS[hour]}:${TWO_DIGITS[minute - hour * 60]}:${TWO_DIGITS[second - minute * 60]}`;
}

/** `2026-01-01T10:00:00.000Z` of epoch ms. */
export function isoMilliseconds(epochMs: number): string {
  const rest = Math.floor(epochMs) - Math.floor(epochMs / 1000) * 1000;
  const hundreds = Math.floor(rest / 100);
  return `${isoSeconds(epochMs)}.${hundreds}${TWO_DIGITS[rest - hundreds * 100]}Z`;
}
