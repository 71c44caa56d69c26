import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { n8nEnvironment } from './environment.ts';
import type { N8nInstallation } from './installation.ts';
import { signIn } from './owner.ts';
import { runToEnd, startAndWait } from './process.ts';

/** A credential as `n8n import:credentials` takes it, in the clear. */
export interface N8nCredential {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A workflow as n8n's editor exports it; only what is read here is named. */
export interface N8nWorkflow {
  readonly id: string;
  readonly name: string;
  readonly nodes: readonly {
    readonly name: string;
    readonly type: string;
    readonly parameters: Readonly<Record<string, unknown>>;
    readonly webhookId?: string;
  }[];
  readonly [field: string]: unknown;
}

export interface N8nOptions {
  readonly installation: N8nInstallation;
  readonly port: number;
  /** Where this n8n keeps its database; made when it is not there. */
  readonly directory: string;
  readonly credentials: readonly N8nCredential[];
  readonly workflows: readonly N8nWorkflow[];
  /** Ids of the workflows that are to run; the others are imported and stay off. */
  readonly published: readonly string[];
  /** Who may use the editor; set up at the first start. */
  readonly owner: { readonly email: string; readonly password: string };
  /** Folders of community packages that are installed in it, by their names. */
  readonly communityPackages?: Readonly<Record<string, string>>;
  /** Variables beside those that keep n8n local and quiet. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface RunningN8n {
  readonly url: string;
  readonly pid: number;
  /** Calls the API of n8n's editor as its owner. @throws Error when n8n refuses */
  rest<T>(method: string, path: string, body?: object): Promise<T>;
  /** Reads a JSON file that n8n serves to its editor. @throws Error when there is none */
  file<T>(path: string): Promise<T>;
  /** What n8n has printed. */
  log(): string;
  stop(): Promise<void>;
}

/** How long n8n may take from its start until its workflows run, in milliseconds. */
const listeningWithinMs = 60_000;
const lookAgainMs = 50;
const importedMarker = 'imported.sha256';

/**
 * Imports credentials and workflows into an n8n by its own commands, starts it, and publishes. What
 * the directory holds already is not imported again.
 *
 * @returns when every published workflow runs
 * @throws Error with what n8n printed, when it does not start
 */
export async function startN8n(options: N8nOptions): Promise<RunningN8n> {
  const { installation, port, directory, workflows, published, owner } = options;
  const environment = { ...n8nEnvironment(directory, port), ...options.environment };
  await mkdir(directory, { recursive: true });
  for (const [name, folder] of Object.entries(options.communityPackages ?? {})) {
    await cp(folder, join(directory, '.n8n/nodes/node_modules', name), { recursive: true });
  }
  await importOnce(options, environment);
  const running = await startAndWait(installation, ['start'], environment, (log) =>
    log.includes('Editor is now accessible via'),
  );
  const url = `http://127.0.0.1:${port}`;
  try {
    const { rest, file } = await signIn(url, owner);
    const wanted = workflows.filter(({ id }) => published.includes(id));
    for (const { id } of wanted) await publish(rest, id);
    await Promise.all(wanted.flatMap(webhooksOf).map((webhook) => listening(url, webhook)));
    return { url, pid: running.pid, rest, file, log: running.log, stop: running.stop };
  } catch (error) {
    await running.stop();
    throw error;
  }
}

/** Publishes a workflow as its user does in the editor. */
async function publish(rest: RunningN8n['rest'], id: string): Promise<void> {
  const { active, versionId } = await rest<{ active: boolean; versionId: string }>(
    'GET',
    `/workflows/${id}`,
  );
  if (!active) await rest('POST', `/workflows/${id}/activate`, { versionId });
}

interface Webhook {
  readonly method: string;
  readonly path: string;
}

/** The webhooks of a workflow, its chats among them. */
function webhooksOf({ nodes }: N8nWorkflow): Webhook[] {
  return nodes.flatMap(({ type, parameters, webhookId }) => {
    if (type === '@n8n/n8n-nodes-langchain.chatTrigger') {
      return [{ method: 'POST', path: `${webhookId}/chat` }];
    }
    if (type !== 'n8n-nodes-base.webhook') return [];
    return [{ method: String(parameters.httpMethod ?? 'GET'), path: String(parameters.path) }];
  });
}

/**
 * Waits until a webhook is there: n8n answers before its workflows run. A request of another method
 * starts nothing, and n8n names the right ones as soon as it knows the path.
 *
 * @throws Error when it does not come
 */
async function listening(url: string, { method, path }: Webhook): Promise<void> {
  const deadline = performance.now() + listeningWithinMs;
  for (;;) {
    const answer = await fetch(`${url}/webhook/${path}`, {
      method: method === 'PUT' ? 'PATCH' : 'PUT',
    });
    const text = await answer.text();
    if (new RegExp(`make a .*\\b${method}\\b.* request`).test(text)) return;
    if (performance.now() > deadline) throw new Error(`n8n: /webhook/${path}: ${text}`);
    await delay(lookAgainMs);
  }
}

async function importOnce(
  { installation, directory, credentials, workflows }: N8nOptions,
  environment: Record<string, string>,
): Promise<void> {
  const wanted = createHash('sha256')
    .update(JSON.stringify({ credentials, workflows }))
    .digest('hex');
  const marker = join(directory, importedMarker);
  if (existsSync(marker) && (await readFile(marker, 'utf8')) === wanted) return;
  await rm(marker, { force: true });
  for (const [kind, content] of [
    ['credentials', credentials],
    ['workflow', workflows],
  ] as const) {
    if (content.length === 0) continue;
    const file = join(directory, `import-${kind}.json`);
    // Credentials are in the clear here, and encrypted by n8n.
    await writeFile(file, JSON.stringify(content), { mode: 0o600 });
    try {
      await runToEnd(installation, [`import:${kind}`, `--input=${file}`], environment);
    } finally {
      await rm(file, { force: true });
    }
  }
  await writeFile(marker, wanted);
}
