import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { installN8n, type N8nWorkflow, startN8n, withSettings } from 'local-n8n';
import { newSecret } from '../identifiers.ts';

const workflowDirectory = join(import.meta.dirname, '../../../../workflows');
/** Those that run; the others need something that a demo does not have, and can be looked at. */
const running = ['appointment-booking', 'find-slots', 'change-appointment'];
const waiting = ['report-failed-client', 'daily-digest', 'booking-agent'];
const credentials = ['calhookApiKey001', 'calhookOperator1'];

/** The n8n beside a demo. */
export interface DemoN8n {
  readonly url: string;
  /** Where a website posts appointments. */
  readonly webhookUrl: string;
  readonly owner: { readonly email: string; readonly password: string };
  stop(): Promise<void>;
}

/** Who may use the editor of this demo's n8n; made at its first run. */
async function ownOwner(directory: string): Promise<DemoN8n['owner']> {
  const file = join(directory, 'owner.json');
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  // n8n asks for a capital letter and a digit.
  const owner = { email: 'operator@example.com', password: `N8n-${newSecret().slice(0, 12)}` };
  await writeFile(file, JSON.stringify(owner), { mode: 0o600 });
  return owner;
}

/** @throws the error of the operating system, when the port cannot be listened on */
async function requireFree(host: string, port: number): Promise<void> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(port, host, resolve);
  });
  await new Promise<void>((resolve) => probe.close(() => resolve()));
}

/**
 * Starts a real n8n on `port` (and the one above it) with the workflows of this repository, set up
 * for the demo's server. The first run installs n8n.
 *
 * @param options.progress is told what takes its time
 */
export async function startDemoN8n(options: {
  readonly host: string;
  readonly port: number;
  readonly directory: string;
  readonly calhookUrl: string;
  readonly apiKey: string;
  readonly progress: (line: string) => void;
}): Promise<DemoN8n> {
  const { host, port, directory, calhookUrl, apiKey, progress } = options;
  await requireFree(host, port);
  await requireFree(host, port + 1);
  const installation = await installN8n(progress);
  await mkdir(directory, { recursive: true });
  const owner = await ownOwner(directory);
  const read = (name: string): N8nWorkflow => {
    const text = readFileSync(join(workflowDirectory, `${name}.json`), 'utf8');
    const workflow = JSON.parse(text) as N8nWorkflow;
    return text.includes('"calhookUrl"') ? withSettings(workflow, { calhookUrl }) : workflow;
  };
  const published = running.map(read);
  progress('Starting n8n; the first time takes half a minute.');
  const n8n = await startN8n({
    installation,
    port,
    directory,
    credentials: credentials.map((id) => ({
      id,
      name: 'Calhook API key',
      type: 'httpHeaderAuth',
      data: { name: 'Authorization', value: `Bearer ${apiKey}` },
    })),
    workflows: [...published, ...waiting.map(read)],
    published: published.map(({ id }) => id),
    owner,
  });
  return { url: n8n.url, webhookUrl: `${n8n.url}/webhook/appointment`, owner, stop: n8n.stop };
}
