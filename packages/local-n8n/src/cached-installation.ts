import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A part of an installation: npm, with these arguments and variables. */
interface InstallationStep {
  readonly what: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

interface Installation {
  /** What is installed, as people are told and as its folder is called. */
  readonly name: string;
  /** Where its package.json and package-lock.json are. */
  readonly manifestDirectory: string;
  /** How long it takes, and how much room. */
  readonly cost: string;
  /** What is to be done in the folder. */
  readonly steps: (directory: string) => readonly InstallationStep[];
}

const manifestFiles = ['package.json', 'package-lock.json'] as const;
const lookAgainMs = 1_000;
/** How much of what a command printed is shown when it fails. */
const shownOutput = 4_000;

function cacheDirectory(): string {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return process.env.CALHOOK_CACHE_DIRECTORY || join(base, 'calhook');
}

/**
 * Installs packages into a cache folder of the user that is named after their lock file, at the
 * first call; finds them there at later ones.
 *
 * @param progress is told what is being done
 * @returns the folder
 * @throws Error with what npm printed, when the installation fails
 */
export async function installOnce(
  installation: Installation,
  progress: (line: string) => void,
): Promise<string> {
  const { name, manifestDirectory } = installation;
  const hash = createHash('sha256').update(`${process.platform}-${process.arch}`);
  for (const file of manifestFiles) hash.update(await readFile(join(manifestDirectory, file)));
  const directory = join(cacheDirectory(), `${name}-${hash.digest('hex').slice(0, 12)}`);
  if (!existsSync(directory)) {
    await mkdir(cacheDirectory(), { recursive: true });
    const release = await lock(`${directory}.lock`, name, progress);
    try {
      if (!existsSync(directory)) await install(installation, directory, progress);
    } finally {
      await release();
    }
  }
  return directory;
}

/** Installs beside the place and moves there at the end, so that what is there is whole. */
async function install(
  { name, manifestDirectory, cost, steps }: Installation,
  directory: string,
  progress: (line: string) => void,
): Promise<void> {
  const partial = `${directory}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial);
  for (const file of manifestFiles) await cp(join(manifestDirectory, file), join(partial, file));
  const todo = steps(partial);
  progress(`Installing ${name} into ${directory}, this once; it takes ${cost}.`);
  for (const [index, { what, args, environment }] of todo.entries()) {
    const from = performance.now();
    progress(`  ${index + 1} of ${todo.length}: ${what} …`);
    await run('npm', [...args, '--no-audit', '--no-fund'], partial, {
      ...withoutNpmOfCaller(),
      ...environment,
    });
    progress(`  ${index + 1} of ${todo.length}: done in ${seconds(from)} s`);
  }
  await rename(partial, directory);
}

function seconds(from: number): number {
  return Math.round((performance.now() - from) / 1_000);
}

/** The environment without what an npm script hands down: it would speak of another package. */
export function withoutNpmOfCaller(): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(package|lifecycle|execpath|command|config_local_prefix)/.test(name),
    ),
  );
}

/** Runs a command to its end. @returns what it printed @throws Error with that, when it fails */
export async function run(
  command: string,
  args: readonly string[],
  directory: string,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  const child = spawn(command, args, {
    cwd: directory,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });
  const endWithParent = () => void child.kill();
  process.once('exit', endWithParent);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-shownOutput);
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => process.off('exit', endWithParent));
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output}`);
  return output;
}

/**
 * One installation at a time: a file that holds the id of the process that installs.
 *
 * @returns gives the lock back
 */
async function lock(
  file: string,
  name: string,
  progress: (line: string) => void,
): Promise<() => Promise<void>> {
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
    if (!told) progress(`${name} is being installed by another process; waiting for it.`);
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
