import { getSlots } from 'slot-calculator';
import { getAvailableTimeSlotsInCalendar } from 'time-slots-finder';
import { findSlots, type SlotInput, type Span } from '../../apps/server/src/availability/slots.ts';
import { median } from './processes.ts';
import { endpointRatio } from './slot-answers.ts';

const goal = 20;
const endpointGoal = 0.5;
const rounds = 3;
/** Milliseconds of processor time that each contender gets per round, at the least. */
const measureMs = 150;

const timeZone = 'Europe/Berlin';
const days = 30;
const spansPerDay = 10;
const stepMinutes = 15;
const quarterMs = stepMinutes * 60_000;
const opens = '08:00';
const closes = '20:00';
const weekdays = [
  ...['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'],
] as const;

/** Numbers in [0, 1) that are the same in every run. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The first midnight of the January to come: no clock changes in the days after it. */
function januaryToCome(): Temporal.ZonedDateTime {
  const year = Temporal.Now.zonedDateTimeISO(timeZone).year + 1;
  return Temporal.PlainDate.from({ year, month: 1, day: 1 }).toZonedDateTime(timeZone);
}

/**
 * 30 days of twelve hours on a grid of 15 minutes, ten events a day of 15 to 60 minutes, some of
 * them over each other.
 *
 * The appointment is as long as a step and the events begin and end on the grid, since neither of the
 * other two has a grid as such: one goes on where the last slot ended, the other where the last
 * event ended.
 */
function monthOfEvents(): SlotInput {
  const random = randomNumbers(5);
  const begin = januaryToCome();
  const busy: Span[] = [];
  for (let day = 0; day < days; day++) {
    const opensAt = begin.add({ days: day, hours: 8 }).epochMilliseconds;
    for (let i = 0; i < spansPerDay; i++) {
      const startsAt = opensAt + Math.floor(random() * 47) * quarterMs;
      busy.push({ startsAt, endsAt: startsAt + (1 + Math.floor(random() * 4)) * quarterMs });
    }
  }
  const hours = [{ start: opens, end: closes }];
  return {
    rules: {
      timeZone,
      weeklyHours: {
        ...{ monday: hours, tuesday: hours, wednesday: hours, thursday: hours, friday: hours },
        ...{ saturday: hours, sunday: hours },
      },
      dateOverrides: [],
      slotStepMinutes: stepMinutes,
      ...{ bufferBeforeMinutes: 0, bufferAfterMinutes: 0, minimumNoticeMinutes: 0 },
      ...{ horizonDays: 800, maxPerDay: null, maxPerWeek: null },
    },
    durationMinutes: stepMinutes,
    from: begin.epochMilliseconds,
    to: begin.add({ days }).epochMilliseconds,
    now: Date.now(),
    busy,
    claims: [],
    bookedStarts: [],
  };
}

interface Contender {
  readonly name: string;
  readonly compute: () => unknown;
  readonly starts: () => number[];
}

/** Rules are new to the engine each time: what it keeps of them does not count. */
function calhook(input: SlotInput): Contender {
  const compute = () => findSlots({ ...input, rules: { ...input.rules } });
  return { name: 'calhook', compute, starts: () => compute().slots };
}

function slotCalculator(input: SlotInput): Contender {
  const iso = (epochMs: number) => new Date(epochMs).toISOString();
  const parameters = {
    from: iso(input.from),
    to: iso(input.to),
    availability: weekdays.map((day) => ({ day, from: opens, to: closes, timezone: timeZone })),
    unavailability: input.busy.map(({ startsAt, endsAt }) => ({
      from: iso(startsAt),
      to: iso(endsAt),
    })),
    duration: input.durationMinutes,
    outputTimezone: timeZone,
  };
  const compute = () => getSlots(parameters);
  const starts = () => compute().availableSlots.map((slot) => Date.parse(slot.from));
  return { name: 'slot-calculator', compute, starts };
}

function timeSlotsFinder(input: SlotInput): Contender {
  const wallClock = (epochMs: number) => {
    const at = Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(timeZone);
    const { year, month, day, hour, minute } = at;
    return { year, month: month - 1, day, hour, minute };
  };
  const parameters = {
    configuration: {
      timeSlotDuration: input.durationMinutes,
      slotStartMinuteStep: stepMinutes,
      availablePeriods: weekdays.map((_, i) => ({
        isoWeekDay: i + 1,
        shifts: [{ startTime: opens, endTime: closes }],
      })),
      unavailablePeriods: input.busy.map(({ startsAt, endsAt }) => ({
        startAt: wallClock(startsAt),
        endAt: wallClock(endsAt),
      })),
      timeZone,
    },
    from: new Date(input.from),
    to: new Date(input.to),
  };
  const compute = () => getAvailableTimeSlotsInCalendar(parameters);
  const starts = () => compute().map((slot) => slot.startAt.getTime());
  return { name: 'time-slots-finder', compute, starts };
}

/** @throws {Error} when one finds other slots than another: there would be nothing to compare */
function requireAgreement(contenders: readonly Contender[]): number {
  const [first, ...others] = contenders.map(({ name, starts }) => ({ name, starts: starts() }));
  if (!first || first.starts.length === 0) throw new Error('there are no slots to find');
  for (const other of others) {
    const differs = first.starts.findIndex((start, i) => start !== other.starts[i]);
    if (differs >= 0 || other.starts.length !== first.starts.length) {
      const at = differs >= 0 ? differs : first.starts.length;
      const shown = ({ starts }: typeof first) => new Date(starts[at] ?? Number.NaN).toString();
      throw new Error(
        `${first.name} and ${other.name} find other slots: ${shown(first)}, ${shown(other)}`,
      );
    }
  }
  return first.starts.length;
}

/** Microseconds of processor time per computation: what others do on the machine does not count. */
function measure(compute: () => unknown): number {
  const begin = process.cpuUsage();
  let computed = 0;
  let elapsedUs = 0;
  while (elapsedUs < measureMs * 1_000) {
    compute();
    computed++;
    const { user, system } = process.cpuUsage(begin);
    elapsedUs = user + system;
  }
  return elapsedUs / computed;
}

/** The engine against the two libraries of npm that compute slots, by turns in one process. */
function engineRatio(): number {
  const input = monthOfEvents();
  const contenders = [calhook(input), slotCalculator(input), timeSlotsFinder(input)];
  const found = requireAgreement(contenders);
  console.log(`${days} days, ${input.busy.length} busy spans: all find the same ${found} slots`);

  const costs = contenders.map(({ name, compute }) => ({ name, compute, us: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    for (const { compute, us } of costs) us.push(measure(compute));
  }
  const medians = costs.map(({ us }) => median(us));
  costs.forEach(({ name }, i) => {
    console.log(`${name}: ${(medians[i] as number).toFixed(1)} µs`);
  });
  const [own, ...others] = medians as [number, ...number[]];
  return Math.min(...others) / own;
}

export async function run(): Promise<void> {
  const ratio = engineRatio();
  const endpoint = await endpointRatio();
  console.log(
    `slots ratio=${ratio.toFixed(2)} goal=${goal.toFixed(2)} endpoint=${endpoint.toFixed(2)} endpoint-goal=${endpointGoal.toFixed(2)}`,
  );
}
