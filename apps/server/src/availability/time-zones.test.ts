import { expect, test } from 'vitest';
import { timeZoneName } from './time-zones.ts';

test.each(['Europe/Berlin', 'UTC', 'Etc/GMT+5', 'America/Argentina/Buenos_Aires', 'Asia/Kolkata'])(
  '%s is a zone in its proper case',
  (name) => {
    expect(timeZoneName(name)).toBe(name);
    expect(timeZoneName(name.toLowerCase())).toBe(name);
  },
);

test.each(['', '+02:00', '-0500', 'Z', 'T10+02', 'PST', 'SystemV/AST4', 'Mars/Olympus', 'a b'])(
  '%j is no zone',
  (text) => {
    expect(timeZoneName(text)).toBeNull();
  },
);

test('every zone of the runtime is known, and computes', () => {
  for (const name of Intl.supportedValuesOf('timeZone')) {
    expect(timeZoneName(name)).toBe(name);
  }
});
