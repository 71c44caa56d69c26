import type { Calendar, StoredEvent } from '../calendar/event-record.ts';
import { momentMs } from '../calendar/moments.ts';
import { isSeries, plainOccurrences } from '../calendar/series.ts';
import { instantOfWall, wallOfInstant } from '../calendar/zone-offsets.ts';
import { escapeHtml, page } from './layout.ts';
import { LIVE_SCRIPT } from './live.ts';
import { columnsOf } from './overlap-columns.ts';

const DAY_MS = 86_400_000;
const HOUR_PX = 44;
const LINE_PX = 15;
const FIRST_HOUR_SHOWN = 7;

const STYLE = `
main{max-width:1320px}
.bar{display:flex;align-items:center;gap:14px;flex-wrap:wrap;margin-bottom:16px}
.bar h1{margin:0}
.bar nav{margin-left:auto;display:flex;gap:8px}
.bar .button{padding:5px 14px}
.week{background:var(--paper);border:1px solid var(--line);border-radius:12px;overflow:hidden}
.heads,.days,.allday{display:grid;grid-template-columns:58px repeat(7,minmax(0,1fr))}
.heads>*{padding:8px 6px;text-align:center;border-left:1px solid var(--line);font-size:13px;color:var(--soft)}
.heads>*:first-child,.allday>*:first-child,.days>*:first-child{border-left:0}
.heads strong{display:block;font-size:20px;font-weight:500;color:var(--ink)}
.heads .today strong{color:var(--on-accent);background:var(--accent);border-radius:50%;width:34px;height:34px;line-height:34px;margin:2px auto 0}
.allday{border-top:1px solid var(--line)}
.allday>*{border-left:1px solid var(--line);padding:3px;min-height:12px}
.scroll{height:620px;overflow-y:auto;border-top:1px solid var(--line)}
.days{position:relative}
.hours div{height:${HOUR_PX}px;font-size:11px;color:var(--soft);text-align:right;padding-right:8px;transform:translateY(-8px)}
.day{position:relative;border-left:1px solid var(--line);height:${24 * HOUR_PX}px;background:repeating-linear-gradient(to bottom,transparent 0 ${HOUR_PX - 1}px,var(--line) ${HOUR_PX - 1}px ${HOUR_PX}px)}
.event{background:var(--accent);color:var(--on-accent);border-radius:6px;padding:2px 7px;font-size:12px;line-height:${LINE_PX}px;overflow:hidden;border:1px solid var(--paper)}
.day .event{position:absolute;top:var(--top);height:var(--height);left:var(--left);width:var(--width)}
.event>*{display:block;white-space:nowrap;text-overflow:ellipsis;overflow:hidden}
.event b{font-weight:600}
.event .unfit{display:none}
.event.free{background:var(--accent-soft);color:var(--ink)}
.event.tentative{background:var(--paper);color:var(--accent);border:1px dashed var(--accent)}
.allday .event{margin-bottom:2px}
.now{position:absolute;left:0;right:0;border-top:2px solid var(--now);z-index:2;pointer-events:none}
.now::before{content:"";position:absolute;left:-4px;top:-5px;width:8px;height:8px;border-radius:50%;background:var(--now)}
/* Seven columns are too narrow on a phone: there the days follow one another, each with its events. */
@media(max-width:640px){
.bar nav{margin:0;flex-wrap:wrap}
.week{display:grid;grid-template-columns:minmax(0,1fr);padding-bottom:8px}
.heads,.allday,.scroll,.days{display:contents}
.heads>:first-child,.allday>:first-child,.hours,.now{display:none}
.heads>*{order:calc(var(--day)*3);display:flex;gap:8px;align-items:center;border:0;border-top:1px solid var(--line);padding:6px 14px}
.heads>:nth-child(2){border-top:0}
.heads strong{font-size:16px}
.heads .today strong{width:28px;height:28px;line-height:28px;margin:0;text-align:center}
.allday>*{order:calc(var(--day)*3 + 1);border:0;padding:0 14px;min-height:0}
.day{order:calc(var(--day)*3 + 2);height:auto;border:0;background:none;padding:0 14px}
.event,.allday .event{margin:0 0 6px;padding:6px 10px;font-size:14px;line-height:20px}
.day .event{position:static;height:auto;width:auto}
.event .unfit{display:block}
.event>*{white-space:normal;overflow-wrap:anywhere}
}
`;

/** The hours scroll to the morning; again when a phone is turned, since upright they do not scroll. */
const MORNING_SCRIPT = `<script>
const toMorning = () => { document.querySelector('.scroll').scrollTop = ${FIRST_HOUR_SHOWN * HOUR_PX - 8}; };
toMorning();
matchMedia('(max-width:640px)').addEventListener('change', toMorning);
</script>`;

/** The week of a calendar: what its owner would see in Google's own page. */
export function calendarWeekPage(calendar: Calendar, now: number, wanted: string | null): string {
  const zone = calendar.timeZone;
  const todayWall = startOfDay(wallOfInstant(zone, now));
  const asked = wanted === null ? Number.NaN : Date.parse(`${wanted}T00:00:00Z`);
  const weekWall = mondayOf(Number.isNaN(asked) ? todayWall : startOfDay(asked));
  const days = Array.from({ length: 7 }, (_, index) => weekWall + index * DAY_MS);
  const shown = eventsOfWeek(calendar, days);
  const title = new Date(weekWall + 3 * DAY_MS).toLocaleDateString('en-GB', {
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  });
  const link = (label: string, wall: number) =>
    `<a class="button" href="?week=${isoDay(wall)}">${label}</a>`;
  return page(
    `Calendar of ${calendar.summary}`,
    `<main id="live"><div class="bar"><h1>${escapeHtml(title)}</h1><span class="soft">${escapeHtml(calendar.summary)} · ${escapeHtml(zone)}</span>
<nav aria-label="Week">${link('← Earlier', weekWall - 7 * DAY_MS)}<a class="button" href="?">This week</a>${link('Later →', weekWall + 7 * DAY_MS)}</nav></div>
<div class="week">
<div class="heads"><span></span>${days.map((day, index) => headOf(day, index, day === todayWall)).join('')}</div>
<div class="allday"><span></span>${days
      .map(
        (day, index) =>
          `<div style="--day:${index}">${shown
            .filter((entry) => entry.event.start.allDay && coversDay(entry, day))
            .map(allDayBlock)
            .join('')}</div>`,
      )
      .join('')}</div>
<div class="scroll" tabindex="0" role="region" aria-label="Hours of the week"><div class="days"><div class="hours" aria-hidden="true">${Array.from({ length: 24 }, (_, hour) => `<div${hour === FIRST_HOUR_SHOWN ? ' id="morning"' : ''}>${hour === 0 ? '' : `${String(hour).padStart(2, '0')}:00`}</div>`).join('')}</div>
${days.map((day, index) => dayColumn(shown, day, index, wallOfInstant(zone, now))).join('')}</div></div></div></main>
${MORNING_SCRIPT}${LIVE_SCRIPT}`,
    STYLE,
  );
}

/** An event with its wall-clock span in the calendar's zone, read as UTC (epoch ms). */
type Shown = { event: StoredEvent; from: number; to: number };

function eventsOfWeek(calendar: Calendar, days: number[]): Shown[] {
  const zone = calendar.timeZone;
  const weekWall = days[0] as number;
  const window = {
    endsAfter: instantOfWall(zone, weekWall),
    startsBefore: instantOfWall(zone, weekWall + 7 * DAY_MS),
  };
  const events = [...calendar.events.values()]
    .filter((event) => event.status !== 'cancelled')
    .flatMap((event) =>
      isSeries(event) ? [...plainOccurrences(calendar, event, window)] : [event],
    );
  return events
    .map((event) => ({
      event,
      from: wallOfInstant(zone, momentMs(event.start, zone)),
      to: wallOfInstant(zone, momentMs(event.end, zone)),
    }))
    .filter(({ from, to }) => to > weekWall && from < weekWall + 7 * DAY_MS)
    .sort((a, b) => a.from - b.from);
}

function headOf(day: number, index: number, isToday: boolean): string {
  const date = new Date(day);
  const weekday = date.toLocaleDateString('en-GB', { weekday: 'short', timeZone: 'UTC' });
  return `<span style="--day:${index}"${isToday ? ' class="today" aria-current="date"' : ''}>${weekday}<strong>${date.getUTCDate()}</strong></span>`;
}

function coversDay({ from, to }: Shown, day: number): boolean {
  return from < day + DAY_MS && to > day;
}

function allDayBlock({ event }: Shown): string {
  return `<div class="event${event.content.transparency ? ' free' : ''}"><b>${escapeHtml(titleOf(event))}</b></div>`;
}

function dayColumn(shown: Shown[], day: number, index: number, nowWall: number): string {
  const timed = shown.filter((entry) => !entry.event.start.allDay && coversDay(entry, day));
  const blocks = columnsOf(timed).map(({ item, column, columns }) => {
    const from = Math.max(item.from, day);
    const to = Math.min(item.to, day + DAY_MS);
    const top = ((from - day) / 3_600_000) * HOUR_PX;
    const height = Math.max(((to - from) / 3_600_000) * HOUR_PX, 18);
    const width = 96 / columns;
    const { event } = item;
    const kind = event.content.transparency
      ? ' free'
      : event.status === 'tentative'
        ? ' tentative'
        : '';
    const guests = (event.content.attendees ?? []).map((attendee) => attendee.email).join(', ');
    const times = `${clock(item.from)} – ${clock(item.to)}`;
    const tip = [titleOf(event), times, guests].filter((text) => text !== '').join('\n');
    return `<article class="event${kind}" style="--top:${top}px;--height:${height}px;--left:${column * width}%;--width:${width}%" title="${escapeHtml(tip)}">${linesOf(height, [titleOf(event), times, guests])}</article>`;
  });
  const line =
    nowWall >= day && nowWall < day + DAY_MS
      ? `<div class="now" style="top:${((nowWall - day) / 3_600_000) * HOUR_PX}px"></div>`
      : '';
  const label = new Date(day).toLocaleDateString('en-GB', {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    timeZone: 'UTC',
  });
  return `<div class="day" role="group" aria-label="${label}" style="--day:${index}">${blocks.join('')}${line}</div>`;
}

/** Whole lines only: one that does not fit is in the tooltip, and on a phone, where there is room. */
function linesOf(heightPx: number, lines: string[]): string {
  const fitting = Math.max(1, Math.floor((heightPx - 3) / LINE_PX));
  return lines
    .filter((line) => line !== '')
    .map((line, index) => {
      const tag = index === 0 ? 'b' : 'span';
      return `<${tag}${index < fitting ? '' : ' class="unfit"'}>${escapeHtml(line)}</${tag}>`;
    })
    .join('');
}

function titleOf(event: StoredEvent): string {
  return event.content.summary ?? '(No title)';
}

function clock(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(11, 16);
}

function isoDay(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 10);
}

function startOfDay(wallMs: number): number {
  return Math.floor(wallMs / DAY_MS) * DAY_MS;
}

function mondayOf(dayWall: number): number {
  return dayWall - ((new Date(dayWall).getUTCDay() + 6) % 7) * DAY_MS;
}
