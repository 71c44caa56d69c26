import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const packageFolder = import.meta.dirname;
const compiler = fileURLToPath(import.meta.resolve('typescript/bin/tsc'));

/**
 * Writes the package as others install it: JavaScript with declarations, a manifest that points to
 * them, README and LICENSE. It is a folder of its own, because Node strips no types under
 * node_modules, while the workspace runs src/ as it is: a manifest rewritten in place by a prepack
 * script would break whoever imports the package at that moment, and stay rewritten after a crash.
 */
export async function buildPackage(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await promisify(execFile)(process.execPath, [
    compiler,
    '--project',
    join(packageFolder, 'tsconfig.build.json'),
    '--outDir',
    folder,
  ]);
  const source = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8'));
  await writeFile(
    join(folder, 'package.json'),
    `${JSON.stringify(publishedManifest(source), null, 2)}\n`,
  );
  for (const name of ['README.md', 'LICENSE', 'screenshots']) {
    await cp(join(packageFolder, name), join(folder, name), { recursive: true });
  }
}

/** What the workspace's manifest says, without what only the workspace needs. */
function publishedManifest(source: Record<string, unknown>): Record<string, unknown> {
  const { private: _private, scripts: _scripts, devDependencies: _tools, ...kept } = source;
  return {
    ...kept,
    // The root asks for less: npm's scripts run the pinned Node there, whatever started npm.
    engines: { node: '>=26' },
    bin: { 'google-sandbox': 'cli.js' },
    exports: { '.': { types: './index.d.ts', default: './index.js' } },
  };
}

if (import.meta.main) await buildPackage(join(packageFolder, 'dist'));
