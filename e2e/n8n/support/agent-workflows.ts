import { type N8nWorkflow, withSettings } from 'local-n8n';
import { readExample, withCredential } from './calhook-node.ts';
import { copyOf, readWorkflow } from './workflow-files.ts';

type Node = N8nWorkflow['nodes'][number];

/** What an agent is set up with. */
export interface AgentSetUp {
  /** Makes it another workflow than those of the same file. */
  readonly suffix: string;
  readonly version: number;
  readonly calhookUrl: string;
  /** The credentials of its tools and of its model. */
  readonly credentialId: string;
  readonly modelCredentialId: string;
}

/** The agent of `workflows/`, as its user sets it up. */
export function httpAgent(setUp: AgentSetUp): N8nWorkflow {
  const { suffix, calhookUrl, credentialId } = setUp;
  const file = withSettings(readWorkflow('booking-agent.json'), { calhookUrl });
  return withModel(copyOf(file, suffix, credentialId), setUp);
}

/** The agent of the community package. */
export function nodeAgent(setUp: AgentSetUp): N8nWorkflow {
  const { suffix, credentialId } = setUp;
  const file = withModel(copyOf(readExample('booking-agent.json'), suffix), setUp);
  return withCredential(file, credentialId);
}

/** The same, with tools that n8n describes, as the editor proposes it. */
export function nodeAgentDescribedByN8n(setUp: AgentSetUp): N8nWorkflow {
  return withNodes(nodeAgent(setUp), (node) =>
    'descriptionType' in node.parameters
      ? { ...node, parameters: { ...node.parameters, descriptionType: 'auto' } }
      : node,
  );
}

/** An agent whose tools come from `/mcp`, set up as docs/mcp.md says. */
export function mcpAgent(setUp: AgentSetUp): N8nWorkflow {
  const { credentialId, calhookUrl } = setUp;
  const file = httpAgent(setUp);
  const client = {
    id: 'mcp',
    name: 'Calhook',
    type: '@n8n/n8n-nodes-langchain.mcpClientTool',
    typeVersion: 1.4,
    position: [1140, 240],
    parameters: {
      endpointUrl: `${calhookUrl}/mcp`,
      serverTransport: 'httpStreamable',
      authentication: 'headerAuth',
      options: {},
    },
    credentials: { httpHeaderAuth: { id: credentialId, name: credentialId } },
  };
  const tools = file.nodes.filter(({ type }) => type.endsWith('Tool')).map(({ name }) => name);
  const connections = Object.fromEntries(
    Object.entries(file.connections as object).filter(([from]) => !tools.includes(from)),
  );
  const agent = [[{ node: 'Agent', type: 'ai_tool', index: 0 }]];
  const left = withNodes(
    { ...file, nodes: file.nodes.filter(({ name }) => !tools.includes(name)) },
    (node) => (node.name === 'Agent' ? { ...node, parameters: naming(node.parameters) } : node),
  );
  return {
    ...left,
    nodes: [...left.nodes, client],
    connections: { ...connections, [client.name]: { ai_tool: agent } },
  };
}

/** The agent's parameters with the bot named in its instructions: the tools of MCP ask for it. */
function naming(parameters: Node['parameters']): Node['parameters'] {
  const options = parameters.options as { systemMessage: string };
  const systemMessage = options.systemMessage.replace(
    'You book appointments.',
    'You book appointments. The botId is " + $json.botId + ".',
  );
  return { ...parameters, options: { ...options, systemMessage } };
}

function withModel(workflow: N8nWorkflow, { version, modelCredentialId }: AgentSetUp): N8nWorkflow {
  const credentials = { openAiApi: { id: modelCredentialId, name: modelCredentialId } };
  return withNodes(workflow, (node) => {
    if (node.name === 'Model') return { ...node, credentials };
    return node.name === 'Agent' ? { ...node, typeVersion: version } : node;
  });
}

function withNodes(workflow: N8nWorkflow, change: (node: Node) => Node): N8nWorkflow {
  return { ...workflow, nodes: workflow.nodes.map(change) };
}
