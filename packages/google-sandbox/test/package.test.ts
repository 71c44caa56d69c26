import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildPackage } from '../build-package.ts';

const run = promisify(execFile);
let folder: string;
let project: string;

/** A stranger's shell: this Node first, and nothing of the npm that may have started the tests. */
const environment = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_OPTIONS|VITEST)/i.test(name)),
  ),
  PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}`,
};

/** Packs the package and installs the tarball into an empty project, with no registry at hand. */
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'google-sandbox-package-')));
  project = join(folder, 'project');
  const built = join(folder, 'dist');
  await buildPackage(built);
  await run('npm', ['pack', built, '--pack-destination', folder], { env: environment });
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? 'none';
  await writeFile(join(folder, 'package.json'), '{}');
  await run(
    'npm',
    ['install', '--prefix', project, '--ignore-scripts', '--offline', join(folder, tarball)],
    { cwd: folder, env: environment },
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the tarball is JavaScript with declarations and depends on nothing', async () => {
  const installed = join(project, 'node_modules/google-sandbox');
  const files = await readdir(installed, { recursive: true });
  expect(files.filter((name) => /(?<!\.d)\.ts$|\.map$|test/.test(name))).toEqual([]);
  expect(files).toEqual(expect.arrayContaining(['index.d.ts', 'README.md', 'LICENSE']));
  const modules = await readdir(join(project, 'node_modules'));
  expect(modules.filter((name) => !name.startsWith('.'))).toEqual(['google-sandbox']);
});

test('the command starts, answers and ends', { timeout: 20_000 }, async () => {
  const server = spawn(join(project, 'node_modules/.bin/google-sandbox'), ['--no-limits'], {
    cwd: project,
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => server.once('exit', resolve));
  try {
    let ready = '';
    for await (const line of createInterface({ input: server.stdout })) {
      ready = line;
      break;
    }
    expect(ready).toMatch(/^ready \{/);
    const { url, endpoints } = JSON.parse(ready.slice('ready '.length));
    expect((await fetch(url)).status).toBe(200);
    expect((await fetch(endpoints.jwksUrl)).status).toBe(200);
  } finally {
    server.kill('SIGTERM');
  }
  expect(await ended).toBe(0);
});

const APPLICATION = `
import { startSandbox, type Sandbox } from 'google-sandbox';
const sandbox: Sandbox = await startSandbox({ accounts: [{ email: 'ada@example.com' }] });
const at = (hour: number) => ({ dateTime: \`2027-01-11T\${hour}:00:00Z\` });
sandbox.putEvent('ada@example.com', { summary: 'Lunch', start: at(12), end: at(13) });
process.stdout.write(sandbox.events('ada@example.com').map((event) => event.summary).join());
await sandbox.close();
`;

test('an application imports the library', async () => {
  await writeFile(join(project, 'application.mts'), APPLICATION);
  const { stdout } = await run(process.execPath, ['application.mts'], {
    cwd: project,
    env: environment,
  });
  expect(stdout).toBe('Lunch');
});

test('the declarations hold under a strict compiler', async () => {
  const options = {
    module: 'nodenext',
    target: 'esnext',
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [fileURLToPath(new URL('../../../node_modules/@types', import.meta.url))],
  };
  const wrong = APPLICATION.replace("email: 'ada@example.com'", 'email: 1');
  await writeFile(join(project, 'application.mts'), APPLICATION);
  await writeFile(join(project, 'wrong.mts'), wrong);
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: options }));
  const compiler = fileURLToPath(import.meta.resolve('typescript/bin/tsc'));
  const compiled = run(process.execPath, [compiler, '--project', project], { env: environment });
  const said = await compiled.then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout,
  );
  // One mistake is made on purpose: types that resolve to nothing would let it pass.
  expect(said.trim().split('\n')).toEqual([
    expect.stringMatching(/^.*wrong\.mts.* TS2322: Type 'number' is not assignable/),
  ]);
});
