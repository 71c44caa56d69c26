const benchmarks: Readonly<Record<string, () => Promise<{ run(): Promise<void> }>>> = {
  contention: () => import('./contention.ts'),
  'create-event': () => import('./create-event.ts'),
  floor: () => import('./floor.ts'),
  n8n: () => import('./n8n.ts'),
  refresh: () => import('./refresh.ts'),
  sandbox: () => import('./sandbox.ts'),
  slots: () => import('./slots.ts'),
  start: () => import('./start.ts'),
  status: () => import('./status.ts'),
};

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in benchmarks));
if (unknown.length > 0) {
  console.error(
    `No benchmark ${unknown.join(', ')}. There are: ${Object.keys(benchmarks).join(', ')}`,
  );
  process.exit(1);
}
for (const name of names.length > 0 ? names : Object.keys(benchmarks)) {
  const { run } = await (benchmarks[name] as () => Promise<{ run(): Promise<void> }>)();
  await run();
}
