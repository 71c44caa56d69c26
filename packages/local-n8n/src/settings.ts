import type { N8nWorkflow } from './running-n8n.ts';

/**
 * A workflow with other values in its Edit Fields node `Settings`, as its user types them in.
 *
 * @throws Error when there is no such field
 */
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
      left.delete(field.name);
      return { ...field, value: values[field.name] ?? field.value };
    });
    return { ...node, parameters: { ...node.parameters, assignments: { assignments: changed } } };
  });
  if (left.size > 0) throw new Error(`${workflow.name} has no setting ${[...left].join(', ')}`);
  return { ...workflow, nodes };
}
