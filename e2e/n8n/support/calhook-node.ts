import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildCommunityPackage, type N8nCredential, type N8nWorkflow } from 'local-n8n';

export const packageName = 'n8n-nodes-calhook';
export const nodeType = `${packageName}.calhook`;
/** The node as a tool of an agent: n8n makes this type of the other. */
export const toolType = `${nodeType}Tool`;
const packageSource = join(import.meta.dirname, `../../../packages/${packageName}`);

/** The community package, built as it is published. */
export const buildCalhookNode = () =>
  buildCommunityPackage(packageSource, (line) => process.stdout.write(`${line}\n`));

/** A workflow that comes with the package. */
export function readExample(file: string): N8nWorkflow {
  return JSON.parse(readFileSync(join(packageSource, 'examples', file), 'utf8'));
}

/** The credential of the node. */
export function calhookApi(id: string, baseUrl: string, apiKey: string): N8nCredential {
  return { id, name: id, type: 'calhookApi', data: { baseUrl, apiKey } };
}

/** A workflow with other credentials in its Calhook nodes, as a user chooses them. */
export function withCredential(workflow: N8nWorkflow, id: string): N8nWorkflow {
  const credentials = { calhookApi: { id, name: id } };
  const nodes = workflow.nodes.map((node) =>
    [nodeType, toolType].includes(node.type) ? { ...node, credentials } : node,
  );
  return { ...workflow, nodes };
}

/** A bot that is given by its ID. */
export const botById = (value: string) => ({ __rl: true, mode: 'id', value });

/** A Calhook node, as the editor writes it. */
export interface CalhookStep {
  readonly name: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Settings of the node, such as `onError`. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** Webhook, Calhook nodes one after the other, and an answer; `answer` is an expression. */
export function calhookWorkflow(
  path: string,
  credentialId: string,
  steps: readonly CalhookStep[],
  answer = '={{ JSON.stringify({ items: $input.all().map((item) => item.json) }) }}',
): N8nWorkflow {
  const nodes = [
    {
      name: 'Webhook',
      type: 'n8n-nodes-base.webhook',
      typeVersion: 2,
      webhookId: path,
      parameters: { httpMethod: 'POST', path, responseMode: 'responseNode', options: {} },
    },
    ...steps.map(({ name, parameters, settings }) => ({
      name,
      type: nodeType,
      typeVersion: 1,
      parameters,
      ...settings,
    })),
    {
      name: 'Answer',
      type: 'n8n-nodes-base.respondToWebhook',
      typeVersion: 1.1,
      executeOnce: true,
      parameters: { respondWith: 'json', responseBody: answer, options: {} },
    },
  ].map((node, index) => ({ id: `${path}-${index}`, position: [220 * index, 0], ...node }));
  const connections = Object.fromEntries(
    nodes
      .slice(0, -1)
      .map(({ name }, index) => [
        name,
        { main: [[{ node: nodes[index + 1]?.name, type: 'main', index: 0 }]] },
      ]),
  );
  const settings = { executionOrder: 'v1' };
  return withCredential(
    { id: `wf-${path}`, name: path, settings, nodes, connections },
    credentialId,
  );
}
