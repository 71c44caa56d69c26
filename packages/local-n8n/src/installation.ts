import { delimiter, join } from 'node:path';
import { installOnce } from './cached-installation.ts';

/** An n8n on disk, and the Node that it runs on. */
export interface N8nInstallation {
  readonly directory: string;
  readonly nodePath: string;
  readonly cliPath: string;
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
 * The n8n of `install/package-lock.json`: installed at the first call, found at later ones.
 *
 * It needs npm and, where no prebuilt sqlite3 can be fetched, what node-gyp needs: Python 3, make
 * and a C++ compiler.
 *
 * @param progress is told what is being done
 * @throws Error with what npm printed, when the installation fails
 */
export async function installN8n(progress: (line: string) => void): Promise<N8nInstallation> {
  const directory = await installOnce(
    {
      name: 'n8n',
      manifestDirectory: join(import.meta.dirname, '../install'),
      cost: 'a few minutes and 1.1 GB',
      // The rest of the packages runs no scripts: those that have some need none of what they make.
      steps: (folder) => [
        { what: 'packages', args: ['ci', '--legacy-peer-deps', '--ignore-scripts'] },
        { what: 'the Node that n8n runs on', args: ['rebuild', 'node'] },
        {
          what: 'sqlite3 (compiled where no binary can be fetched)',
          args: ['rebuild', 'sqlite3'],
          environment: {
            PATH: `${join(installationAt(folder).nodePath, '..')}${delimiter}${process.env.PATH}`,
            npm_config_nodedir: join(
              folder,
              `node_modules/node/node_modules/node-${process.platform}-${process.arch}`,
            ),
          },
        },
      ],
    },
    progress,
  );
  return installationAt(directory);
}
