import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { bootstrapKey, type TestApp } from './test-app.ts';

/** What a tool answered. */
export interface ToolAnswer {
  readonly isError: boolean;
  /** The answer as data. */
  readonly body: Record<string, unknown>;
  /** The same as the text that it came with. */
  readonly text: string;
}

export interface McpClient {
  readonly client: Client;
  call(tool: string, input?: Record<string, unknown>): Promise<ToolAnswer>;
  close(): Promise<void>;
}

/** The official client, connected to a server by the bootstrap key, or the one given; null: none. */
export async function connectMcp(
  server: TestApp,
  key: string | null = bootstrapKey,
): Promise<McpClient> {
  const client = new Client({ name: 'calhook-tests', version: '1.0.0' });
  const headers = key === null ? {} : { authorization: `Bearer ${key}` };
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', server.url), {
    requestInit: { headers },
  });
  // The SDK's own types disagree where optional properties are exact.
  await client.connect(transport as Transport);
  return {
    client,
    async call(name, input = {}) {
      const { isError, structuredContent, content } = await client.callTool({
        name,
        arguments: input,
      });
      const [first] = content as { type: string; text: string }[];
      return {
        isError: isError === true,
        body: structuredContent as Record<string, unknown>,
        text: first?.text ?? '',
      };
    },
    close: () => client.close(),
  };
}
