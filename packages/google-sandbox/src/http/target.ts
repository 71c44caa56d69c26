import { Query } from './query.ts';

/** What stands between method and version of a request line, taken apart. */
export type Target = { path: string; query: Query };

/** Targets come again and again: the last ones are kept, so that the log holds each of them once. */
const KEPT_TARGETS = 512;
const NO_QUERY = new Query('');

export function createTargetReader(): (target: string) => Target {
  const recent = new Map<string, Target>();
  return (target) => {
    let read = recent.get(target);
    if (read === undefined) {
      if (recent.size >= KEPT_TARGETS) recent.clear();
      read = split(target);
      recent.set(target, read);
    }
    return read;
  };
}

function split(target: string): Target {
  const mark = target.indexOf('?');
  if (mark < 0) return { path: target, query: NO_QUERY };
  return { path: target.slice(0, mark), query: new Query(target.slice(mark + 1)) };
}
