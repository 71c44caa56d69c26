import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { installOnce, run, withoutNpmOfCaller } from './cached-installation.ts';

/** What n8n's scanner says of a package. */
interface ScanResult {
  readonly passed: boolean;
  readonly message?: string;
  readonly details?: string;
}

/** A community package, built and packed as it is published. */
export interface CommunityPackage {
  /** The unpacked tarball: what users get. */
  readonly directory: string;
  /** Lints the source as n8n asks of verified packages. @throws Error with what it printed */
  lint(): Promise<string>;
  /** Applies the rules of n8n's scanner to the source, and to what users get. */
  scan(): Promise<{ source: ScanResult; packed: ScanResult }>;
  remove(): Promise<void>;
}

/** Prints what the scanner says of the source, and of a tarball as it looks at one. */
const scan = `
const [scannerUrl, source, packed] = process.argv.slice(1);
const { analyzePackage, SOURCE_FILE_PATTERNS } = await import(scannerUrl);
const results = {
  source: await analyzePackage(source, SOURCE_FILE_PATTERNS),
  packed: await analyzePackage(packed, ['**/*.js', 'package.json']),
};
console.log('\\n' + JSON.stringify(results));
process.exit();
`;
const notSource = new Set(['node_modules', 'dist']);

/**
 * Builds and packs a community package with n8n's own tools, those of `node-tools/`, in a folder of
 * its own.
 *
 * @throws Error with what the tools printed, when the build fails
 */
export async function buildCommunityPackage(
  source: string,
  progress: (line: string) => void,
): Promise<CommunityPackage> {
  const tools = await installOnce(
    {
      name: 'n8n-node-tools',
      manifestDirectory: join(import.meta.dirname, '../node-tools'),
      cost: 'a minute and 0.3 GB',
      steps: () => [{ what: 'packages', args: ['ci', '--ignore-scripts'] }],
    },
    progress,
  );
  const modules = join(tools, 'node_modules');
  const work = await mkdtemp(join(tmpdir(), 'calhook-node-'));
  const built = join(work, 'built');
  await cp(source, built, {
    recursive: true,
    filter: (file) => file === source || !notSource.has(basename(file)),
  });
  await symlink(modules, join(built, 'node_modules'), 'junction');
  const environment = {
    ...withoutNpmOfCaller(),
    PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}`,
    CI: '1',
    // In a test run the rules of n8n take every file for one of their own test.
    NODE_ENV: 'production',
  };
  const tool = (command: string) =>
    run(
      process.execPath,
      [join(modules, '@n8n/node-cli/bin/n8n-node.mjs'), command],
      built,
      environment,
    );
  await tool('build');
  const directory = join(work, 'package');
  await mkdir(directory);
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', '..'], built, environment);
  const [tarball] = (await readdir(work)).filter((file) => file.endsWith('.tgz'));
  await run('tar', ['-xzf', String(tarball)], work, environment);
  return {
    directory,
    lint: () => tool('lint'),
    async scan() {
      const file = join(modules, '@n8n/scan-community-package/scanner/scanner.mjs');
      const args = ['--input-type=module', '-e', scan, pathToFileURL(file).href, built, directory];
      const output = await run(process.execPath, args, built, environment);
      return JSON.parse(output.trim().split('\n').at(-1) ?? '');
    },
    remove: () => rm(work, { recursive: true, force: true, maxRetries: 3 }),
  };
}
