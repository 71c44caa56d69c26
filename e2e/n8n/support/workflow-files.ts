import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { N8nCredential, N8nWorkflow } from 'local-n8n';

const directory = join(import.meta.dirname, '../../../workflows');

/** The files that users import. */
export const workflowFiles: readonly string[] = readdirSync(directory).sort();

export function readWorkflow(file: string): N8nWorkflow {
  return JSON.parse(readFileSync(join(directory, file), 'utf8'));
}

/** A second one beside it, as a user duplicates a workflow: other id, other path, maybe another credential. */
export function copyOf(workflow: N8nWorkflow, suffix: string, credentialId?: string): N8nWorkflow {
  const nodes = workflow.nodes.map((node) => {
    const { path } = node.parameters;
    return {
      ...node,
      ...(node.webhookId ? { webhookId: `${node.webhookId}-${suffix}` } : {}),
      ...(typeof path === 'string'
        ? {
            parameters: { ...node.parameters, path: `${path}-${suffix}` },
            webhookId: `${path}-${suffix}`,
          }
        : {}),
      ...(credentialId && 'credentials' in node
        ? { credentials: { httpHeaderAuth: { id: credentialId, name: suffix } } }
        : {}),
    };
  });
  return {
    ...workflow,
    id: `${workflow.id.slice(0, 8)}-${suffix}`,
    name: `${workflow.name}, ${suffix}`,
    nodes,
  };
}

/** The Header Auth credential that the workflow files name. */
export function headerAuth(id: string, apiKey: string): N8nCredential {
  return {
    id,
    name: 'Calhook API key',
    type: 'httpHeaderAuth',
    data: { name: 'Authorization', value: `Bearer ${apiKey}` },
  };
}
