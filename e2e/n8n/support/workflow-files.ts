import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { N8nCredential, N8nWorkflow } from 'local-n8n';

const directory = join(import.meta.dirname, '../../../workflows');

/** The files that users import. */
export const workflowFiles: readonly string[] = readdirSync(directory).sort();

export function readWorkflow(file: string): N8nWorkflow {
  return JSON.parse(readFileSync(join(directory, file), 'utf8'));
}

/** What a user changes after the import: the fields of the node Settings. */
export function withSettings(
  workflow: N8nWorkflow,
  values: Readonly<Record<string, string | number>>,
): N8nWorkflow {
  const left = new Set(Object.keys(values));
  const nodes = workflow.nodes.map((node) => {
    if (node.name !== 'Settings') return node;
    const { assignments } = node.parameters.assignments as {
      assignments: { name: string; value: unknown }[];
    };
    const changed = assignments.map((field) => {
      const value = values[field.name];
      if (value === undefined) return field;
      left.delete(field.name);
      return { ...field, value };
    });
    return { ...node, parameters: { ...node.parameters, assignments: { assignments: changed } } };
  });
  if (left.size > 0) throw new Error(`${workflow.name} has no setting ${[...left].join(', ')}`);
  return { ...workflow, nodes };
}

/** A second one beside it, as a user duplicates a workflow: other id, other path, maybe another credential. */
export function copyOf(workflow: N8nWorkflow, suffix: string, credentialId?: string): N8nWorkflow {
  const nodes = workflow.nodes.map((node) => {
    const { path } = node.parameters;
    return {
      ...node,
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
