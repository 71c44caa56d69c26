/** The one clock of a sandbox: it runs on from real time, plus an offset that tests move. */
export type Clock = {
  /** Epoch milliseconds. */
  now(): number;
  /** Moves the clock forward by `ms`, firing everything that falls due on the way, in order. */
  advance(ms: number): void;
  /** Moves the clock to `epochMs`; going back is allowed and fires nothing. */
  set(epochMs: number): void;
  /** Runs `task` once when the clock reaches `due` (epoch ms). Returns a function that cancels it. */
  schedule(due: number, task: () => void): () => void;
  /** Forgets every scheduled task, so that no timer outlives the sandbox. */
  close(): void;
};

type Task = { due: number; order: number; run: () => void; cancelled: boolean };

/** setTimeout overflows above this many milliseconds. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Starts a clock.
 * @param startsAt epoch ms that the clock shows now; default: real time
 */
export function startClock(startsAt?: number): Clock {
  let offset = startsAt === undefined ? 0 : startsAt - Date.now();
  let order = 0;
  const queue: Task[] = [];
  let alarm: NodeJS.Timeout | undefined;
  let alarmDue = Number.POSITIVE_INFINITY;

  const now = () => Date.now() + offset;

  function fireUntil(target: number): void {
    for (let next = queue[0]; next !== undefined && next.due <= target; next = queue[0]) {
      takeFirst(queue);
      if (next.cancelled) continue;
      // Each task sees the moment it was due, so that what it writes down carries the right time.
      if (next.due > now()) offset += next.due - now();
      next.run();
    }
  }

  function arm(): void {
    const due = queue[0]?.due ?? Number.POSITIVE_INFINITY;
    if (alarm !== undefined && alarmDue <= due) return;
    clearTimeout(alarm);
    alarm = undefined;
    alarmDue = due;
    if (due === Number.POSITIVE_INFINITY) return;
    alarm = setTimeout(
      () => {
        alarm = undefined;
        alarmDue = Number.POSITIVE_INFINITY;
        fireUntil(now());
        arm();
      },
      Math.min(Math.max(due - now(), 0), LONGEST_TIMEOUT_MS),
    );
    alarm.unref();
  }

  function rearm(): void {
    clearTimeout(alarm);
    alarm = undefined;
    alarmDue = Number.POSITIVE_INFINITY;
    arm();
  }

  function moveTo(target: number): void {
    fireUntil(target);
    offset += target - now();
    rearm();
  }

  return {
    now,
    advance: (ms) => moveTo(now() + ms),
    set: moveTo,
    schedule(due, run) {
      const task: Task = { due, order: order++, run, cancelled: false };
      insert(queue, task);
      arm();
      return () => {
        task.cancelled = true;
      };
    },
    close() {
      queue.length = 0;
      clearTimeout(alarm);
      alarm = undefined;
    },
  };
}

function before(a: Task, b: Task): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}

/** Adds to a binary heap ordered by due time. */
function insert(heap: Task[], task: Task): void {
  let index = heap.push(task) - 1;
  while (index > 0) {
    const parentIndex = (index - 1) >> 1;
    const parent = heap[parentIndex] as Task;
    if (!before(task, parent)) break;
    heap[index] = parent;
    index = parentIndex;
  }
  heap[index] = task;
}

/** Removes the first task of a binary heap. */
function takeFirst(heap: Task[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= heap.length) break;
    const right = heap[child + 1];
    if (right !== undefined && before(right, heap[child] as Task)) child += 1;
    const smaller = heap[child] as Task;
    if (!before(smaller, last)) break;
    heap[index] = smaller;
    index = child;
  }
  heap[index] = last;
}
