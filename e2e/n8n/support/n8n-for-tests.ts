import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type N8nCredential, type N8nWorkflow, type RunningN8n, startN8n } from 'local-n8n';
import { inject } from 'vitest';
import { freePorts } from '../../../apps/server/test/support/free-ports.ts';

const owner = { email: 'operator@example.com', password: 'Test-password-1' };

/** How n8n evaluates expressions: `vm` is what users have, `legacy` is several times as fast. */
export type ExpressionEngine = 'vm' | 'legacy';

/** What a webhook of n8n answered. */
export interface WebhookAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

/** An execution as n8n keeps it. */
interface Execution {
  readonly id: string;
  readonly status: 'success' | 'error' | 'running' | 'new' | 'waiting';
  readonly workflowId: string;
  readonly customData: Readonly<Record<string, string>>;
}

export interface N8nForTests extends RunningN8n {
  /** Who may use its editor. */
  readonly owner: { readonly email: string; readonly password: string };
  /** Posts to the production URL of a Webhook node. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<WebhookAnswer>;
  /** The executions of a workflow, newest first. */
  executionsOf(workflowId: string): Promise<Execution[]>;
}

/** A real n8n of its own. */
export async function startN8nForTests(options: {
  readonly credentials: readonly N8nCredential[];
  readonly workflows: readonly N8nWorkflow[];
  readonly engine: ExpressionEngine;
  /** Folders of community packages, by their names. */
  readonly communityPackages?: Readonly<Record<string, string>>;
  /** Ids of those that run; default: all. */
  readonly published?: readonly string[];
}): Promise<N8nForTests> {
  const { credentials, workflows, engine, published = workflows.map(({ id }) => id) } = options;
  const { communityPackages = {} } = options;
  const directory = await mkdtemp(join(tmpdir(), 'calhook-n8n-'));
  const running = await startN8n({
    installation: inject('n8n'),
    port: await freePorts(2),
    directory,
    credentials,
    workflows,
    published,
    owner,
    communityPackages,
    environment: { N8N_EXPRESSION_ENGINE: engine },
  });
  return {
    ...running,
    owner,
    async post(path, body, headers = {}) {
      const response = await fetch(`${running.url}/webhook/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
      return {
        status: response.status,
        body: JSON.parse(await response.text()),
        headers: response.headers,
      };
    },
    async executionsOf(workflowId) {
      const filter = encodeURIComponent(JSON.stringify({ workflowId }));
      const { results } = await running.rest<{ results: { id: string }[] }>(
        'GET',
        `/executions?limit=100&filter=${filter}`,
      );
      return Promise.all(
        results.map(({ id }) => running.rest<Execution>('GET', `/executions/${id}`)),
      );
    },
    async stop() {
      await running.stop();
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
