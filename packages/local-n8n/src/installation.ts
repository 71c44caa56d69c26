import { type SpawnOptions, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** An n8n on disk, and the Node that it runs on. */
export interface N8nInstallation {
  readonly directory: string;
  readonly nodePath: string;
  readonly cliPath: string;
}

const manifestDirectory = join(import.meta.dirname, '../install');
const manifestFiles = ['package.json', 'package-lock.json'] as const;
const lookAgainMs = 1_000;
/** How much of what npm printed is shown when it fails. */
const shownOutput = 4_000;

function cacheDirectory(): string {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return process.env.CALHOOK_CACHE_DIRECTORY || join(base, 'calhook');
}

function installationAt(directory: string): N8nInstallation {
  const modules = join(directory, 'node_modules');
  return {
    directory,
    nodePath: join(modules, 'node/bin', process.platform === 'win32' ? 'node.exe' : 'node'),
    cliPath: join(modules, 'n8n/bin/n8n'),
  };
}

/**
 * The n8n of `install/package-lock.json`, in a cache folder of the user that is named after that
 * lock file: installed at the first call (a few minutes, 0.8 GB), found there at later ones.
 *
 * It needs npm and, where no prebuilt sqlite3 can be fetched, what node-gyp needs: Python 3, make
 * and a C++ compiler.
 *
 * @param progress is told what is being done
 * @throws Error with what npm printed, when the installation fails
 */
export async function installN8n(progress: (line: string) => void): Promise<N8nInstallation> {
  const hash = createHash('sha256').update(`${process.platform}-${process.arch}`);
  for (const file of manifestFiles) hash.update(await readFile(join(manifestDirectory, file)));
  const directory = join(cacheDirectory(), `n8n-${hash.digest('hex').slice(0, 12)}`);
  if (!existsSync(directory)) {
    await mkdir(cacheDirectory(), { recursive: true });
    const release = await lock(`${directory}.lock`, progress);
    try {
      if (!existsSync(directory)) await install(directory, progress);
    } finally {
      await release();
    }
  }
  return installationAt(directory);
}

/** Installs beside the place and moves there at the end, so that what is there is whole. */
async function install(directory: string, progress: (line: string) => void): Promise<void> {
  const partial = `${directory}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial);
  for (const file of manifestFiles) await cp(join(manifestDirectory, file), join(partial, file));
  const { nodePath } = installationAt(partial);
  const nodeBin = join(nodePath, '..');
  const headers = join(
    partial,
    `node_modules/node/node_modules/node-${process.platform}-${process.arch}`,
  );
  // The rest of the packages runs no scripts: those that have some need none of what they make.
  const steps: [what: string, args: string[], environment: Record<string, string>][] = [
    ['packages', ['ci', '--legacy-peer-deps', '--ignore-scripts'], {}],
    ['the Node that n8n runs on', ['rebuild', 'node'], {}],
    [
      'sqlite3 (compiled where no binary can be fetched)',
      ['rebuild', 'sqlite3'],
      { PATH: `${nodeBin}${delimiter}${process.env.PATH}`, npm_config_nodedir: headers },
    ],
  ];
  progress(`Installing n8n into ${directory}, this once; it takes a few minutes and 0.8 GB.`);
  for (const [step, [what, args, environment]] of steps.entries()) {
    const from = performance.now();
    progress(`  ${step + 1} of ${steps.length}: ${what} …`);
    await npm([...args, '--no-audit', '--no-fund'], {
      cwd: partial,
      env: { ...withoutNpmOfCaller(), ...environment },
    });
    progress(`  ${step + 1} of ${steps.length}: done in ${seconds(from)} s`);
  }
  await rename(partial, directory);
}

function seconds(from: number): number {
  return Math.round((performance.now() - from) / 1_000);
}

/** The environment without what an npm script hands down: it would speak of another package. */
function withoutNpmOfCaller(): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(package|lifecycle|execpath|command|config_local_prefix)/.test(name),
    ),
  );
}

async function npm(args: string[], options: SpawnOptions): Promise<void> {
  const child = spawn('npm', args, {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });
  const endWithParent = () => void child.kill();
  process.once('exit', endWithParent);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-shownOutput);
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => process.off('exit', endWithParent));
  if (code !== 0) throw new Error(`npm ${args.join(' ')} ended with ${code}:\n${output}`);
}

/**
 * One installation at a time: a file that holds the id of the process that installs.
 *
 * @returns gives the lock back
 */
async function lock(file: string, progress: (line: string) => void): Promise<() => Promise<void>> {
  let told = false;
  for (;;) {
    try {
      const handle = await open(file, 'wx');
      await handle.writeFile(String(process.pid));
      await handle.close();
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = Number(await readFile(file, 'utf8').catch(() => ''));
    if (holder > 0 && !isRunning(holder)) {
      await rm(file, { force: true });
      continue;
    }
    if (!told) progress('n8n is being installed by another process; waiting for it.');
    told = true;
    await delay(lookAgainMs);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
