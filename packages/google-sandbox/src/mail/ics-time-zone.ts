/** How many years of transitions a VTIMEZONE spells out after the start of the event. */
const YEARS_AHEAD = 10;

/**
 * A VTIMEZONE (RFC 5545 §3.6.5) with every transition from the one before the event until ten years
 * after it, each as an observance of its own: true for any zone, whatever its rules.
 * @param fromWallMs wall-clock start of the event, read as UTC
 */
export function timeZoneBlock(zone: string, fromWallMs: number): string[] {
  const start = Temporal.Instant.fromEpochMilliseconds(fromWallMs).toZonedDateTimeISO(zone);
  const last = start.add({ years: YEARS_AHEAD });
  const first = start.getTimeZoneTransition('previous');
  const lines = ['BEGIN:VTIMEZONE', `TZID:${zone}`];
  if (first === null) lines.push(...observance(start.offset, start.offset, '19700101T000000'));
  for (
    let at = first ?? start.getTimeZoneTransition('next');
    at !== null && Temporal.ZonedDateTime.compare(at, last) < 0;
    at = at.getTimeZoneTransition('next')
  ) {
    const before = at.subtract({ milliseconds: 1 });
    const wall = at
      .toInstant()
      .toZonedDateTimeISO('UTC')
      .add({ nanoseconds: before.offsetNanoseconds });
    lines.push(
      ...observance(
        before.offset,
        at.offset,
        wall.toPlainDateTime().toString().replace(/[-:]/g, ''),
      ),
    );
  }
  return [...lines, 'END:VTIMEZONE'];
}

function observance(from: string, to: string, start: string): string[] {
  const kind = to > from && !to.startsWith('-') ? 'DAYLIGHT' : 'STANDARD';
  return [
    `BEGIN:${kind}`,
    `TZOFFSETFROM:${from.replaceAll(':', '')}`,
    `TZOFFSETTO:${to.replaceAll(':', '')}`,
    `DTSTART:${start}`,
    `END:${kind}`,
  ];
}
