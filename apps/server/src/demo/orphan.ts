/** How often the parent is looked at, in milliseconds. */
const lookEveryMs = 200;

/**
 * Runs `stop` when the shell that npm started this process with is gone. A signal to npm alone
 * ends that shell and never reaches the process behind it, which would go on by itself.
 */
export function stopWithNpm(stop: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const shell = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(watch);
    stop();
  }, lookEveryMs);
  watch.unref();
}
