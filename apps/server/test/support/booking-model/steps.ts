import fc from 'fast-check';

const quarters = fc.nat({ max: 15 });
const minutes = fc.constantFrom(15, 30, 45, 60);
const bot = fc.nat({ max: 1 });
const which = fc.nat({ max: 7 });
const time = fc.record({ quarter: quarters, minutes });

/** Where an appointment or an event lies: quarters of an hour from the start of the sequence's day. */
export type Place = typeof time extends fc.Arbitrary<infer T> ? T : never;

const kind = <K extends string>(name: K) => fc.constant(name);

const booking = fc.record({
  kind: kind('book'),
  bot,
  customer: fc.nat({ max: 2 }),
  place: time,
  keyed: fc.boolean(),
});

/** What callers of the API do. */
const call = fc.oneof(
  { weight: 6, arbitrary: booking },
  { weight: 2, arbitrary: fc.record({ kind: kind('repeat'), which }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: kind('hold'),
      bot,
      place: time,
      holdMinutes: fc.constantFrom(1, 5, 30),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: kind('book held'), which, customer: fc.nat({ max: 2 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('release'), which }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('cancel'), which }) },
  { weight: 5, arbitrary: fc.record({ kind: kind('reschedule'), which, place: time }) },
);

/** What the owner does in Google's own pages. */
const edit = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: kind('owner adds'), place: time }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('owner moves'), which, place: time }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('owner deletes'), which }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('owner moves ours'), which, place: time }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('owner deletes ours'), which }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('owner restores ours'), which }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('owner copies ours'), which, place: time }) },
);

/** What Google does wrong: refuses until it is mended, for a while, or loses its answers. */
const fault = fc.record({
  kind: kind('fault'),
  route: fc.constantFrom(
    'events.insert',
    'events.insert',
    'events.patch',
    'events.delete',
    'events.get',
    'events.list',
    'token',
  ),
  fault: fc.constantFrom('unavailable', 'rate limit', 'blip', 'reset', 'lost answer'),
});

const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: kind('call'), call }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: kind('together'),
      calls: fc.array(call, { minLength: 2, maxLength: 4 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: kind('edit'), edit }) },
  { weight: 3, arbitrary: fault },
  { weight: 2, arbitrary: fc.record({ kind: kind('mend') }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: kind('wait'), minutes: fc.constantFrom(1, 6, 31, 61) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: kind('look') }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('work') }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('restart') }) },
);

/** Some bookings, and what becomes of them. */
export const sequence = fc
  .tuple(
    fc.array(fc.record({ kind: kind('call'), call: booking }), { maxLength: 4, size: 'max' }),
    fc.array(step, { minLength: 1, maxLength: 24, size: 'max' }),
  )
  .map(([bookings, steps]): Step[] => [...bookings, ...steps]);

export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
export type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;
export type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;
export type FaultStep = typeof fault extends fc.Arbitrary<infer T> ? T : never;
