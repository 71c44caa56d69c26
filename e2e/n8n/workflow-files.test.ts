import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { readWorkflow, workflowFiles } from './support/workflow-files.ts';

interface FileNode {
  readonly name: string;
  readonly type: string;
  readonly typeVersion: number;
  readonly position: readonly [x: number, y: number];
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly credentials?: Readonly<Record<string, { id: string; name: string }>>;
}

interface NodeType {
  readonly name: string;
  readonly version: number | number[];
  readonly properties: readonly { name: string }[];
}

const note = 'n8n-nodes-base.stickyNote';
const place = 'https://calendar.example.com';

/** The node types of the installed n8n; a node used as a tool has the type of the node itself. */
function nodeTypes(): Map<string, NodeType[]> {
  const found = new Map<string, NodeType[]>();
  for (const pack of ['n8n-nodes-base', '@n8n/n8n-nodes-langchain']) {
    const file = join(inject('n8n').directory, 'node_modules', pack, 'dist/types/nodes.json');
    for (const type of JSON.parse(readFileSync(file, 'utf8')) as NodeType[]) {
      const name = `${pack}.${type.name}`;
      found.set(name, [...(found.get(name) ?? []), type]);
    }
  }
  return found;
}

const types = nodeTypes();
const files = workflowFiles.map((file) => [file, readWorkflow(file)] as const);

test('every workflow has an id and a name of its own', () => {
  for (const field of ['id', 'name'] as const) {
    expect(new Set(files.map(([, workflow]) => workflow[field])).size).toBe(files.length);
  }
});

describe.each(files)('%s', (file, workflow) => {
  const nodes = workflow.nodes as unknown as readonly FileNode[];
  const working = nodes.filter(({ type }) => type !== note);

  test('uses node types, versions and parameters that n8n has', () => {
    for (const { name, type, typeVersion, parameters } of nodes) {
      const known = (types.get(type) ?? types.get(type.replace(/Tool$/, '')) ?? []).find(
        ({ version }) => [version].flat().includes(typeVersion),
      );
      expect(known, `${name}: ${type} ${typeVersion}`).toBeDefined();
      const names = known?.properties.map((property) => property.name) ?? [];
      // What n8n adds to a node that is used as a tool.
      if (type.endsWith('Tool')) names.push('toolDescription', 'descriptionType');
      expect(names, name).toEqual(expect.arrayContaining(Object.keys(parameters)));
    }
  });

  test('uses core nodes alone, but for the agent', () => {
    const foreign = nodes.filter(({ type }) => !type.startsWith('n8n-nodes-base.'));
    expect(foreign.length > 0).toBe(file === 'booking-agent.json');
  });

  test('connects every node, by names that are there', () => {
    const names = nodes.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const connections = workflow.connections as Record<
      string,
      Record<string, { node: string }[][]>
    >;
    const ends = Object.entries(connections).flatMap(([from, kinds]) => [
      from,
      ...Object.values(kinds)
        .flat(2)
        .map(({ node }) => node),
    ]);
    expect([...new Set(ends)].sort()).toEqual(working.map(({ name }) => name).sort());
  });

  test('has the address of Calhook in one place, and one credential', () => {
    const holding = nodes.filter(({ parameters }) => JSON.stringify(parameters).includes(place));
    const calling = nodes.filter(({ parameters }) =>
      /calhookUrl \}\}\/api/.test(String(parameters.url)),
    );
    expect(holding.map(({ name }) => name)).toEqual(calling.length > 0 ? ['Settings'] : []);
    const ids = calling.map(({ credentials }) => credentials?.httpHeaderAuth?.id);
    expect(new Set(ids).size).toBe(calling.length > 0 ? 1 : 0);
    expect(ids).not.toContain(undefined);
    expect(JSON.stringify(workflow)).not.toMatch(/chk_[a-z0-9]/);
  });

  test('starts the error workflow when it fails', () => {
    const reports = readWorkflow('report-failed-client.json').id;
    const { errorWorkflow } = workflow.settings as { errorWorkflow?: string };
    expect(errorWorkflow).toBe(workflow.id === reports ? undefined : reports);
  });

  test('is laid out so that nothing lies on anything else', () => {
    // A node is drawn as a square of about 100, with its name below.
    const boxes = nodes.map(({ name, type, position: [x, y], parameters }) =>
      type === note
        ? { name, x, y, width: Number(parameters.width), height: Number(parameters.height) }
        : { name, x, y, width: 150, height: 150 },
    );
    const overlapping = boxes.flatMap((a, index) =>
      boxes
        .slice(index + 1)
        .filter(
          (b) =>
            a.x < b.x + b.width &&
            b.x < a.x + a.width &&
            a.y < b.y + b.height &&
            b.y < a.y + a.height,
        )
        .map((b) => `${a.name} / ${b.name}`),
    );
    expect(overlapping).toEqual([]);
    expect(boxes.filter(({ name }) => name.startsWith('Note: ')).length).toBeGreaterThan(0);
  });
});
