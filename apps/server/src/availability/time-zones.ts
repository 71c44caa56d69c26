const known = new Set<string>();

/**
 * The IANA name of a time zone in its proper case, which Google insists on; null when there is no
 * such zone. Offsets such as `+02:00` are none.
 */
export function timeZoneName(text: string): string | null {
  if (known.has(text)) return text;
  if (!/^[A-Za-z][\w+/-]*$/.test(text)) return null;
  let name: string;
  try {
    // Temporal, not Intl: that one also takes names of ICU's own (`PST`), which Temporal refuses.
    name = Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(text).timeZoneId;
  } catch {
    return null;
  }
  if (!/^[A-Z]/.test(name)) return null;
  // Only proper names are kept: there are thousands of other spellings of each.
  if (name === text) known.add(name);
  return name;
}
