import { startRecorder } from './recorder.ts';

/** A tool as an agent offers it to its model. */
interface OfferedTool {
  readonly name: string;
  readonly description: string;
  readonly parameters: {
    readonly properties: Readonly<Record<string, { type?: string; description?: string }>>;
    readonly required?: readonly string[];
  };
}

interface Message {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string | readonly { text?: string }[] | null;
}

/** What a model is asked: all that was said, and the tools that it may use. */
export interface Question {
  readonly said: readonly { readonly role: Message['role']; readonly text: string }[];
  readonly tools: readonly OfferedTool[];
}

/** A sentence for the visitor, or a call of a tool. */
export type Reply = string | { readonly tool: string; readonly input: Record<string, string> };

export interface ModelStandIn {
  /** What a credential of OpenAI takes as Base URL. */
  readonly url: string;
  /** What it was asked, oldest first. */
  readonly questions: Question[];
  close(): Promise<void>;
}

/** A server that speaks as OpenAI's chat completions do, with a mind that a test can follow. */
export async function startModel(replyTo: (question: Question) => Reply): Promise<ModelStandIn> {
  const questions: Question[] = [];
  const server = await startRecorder(({ url, body }) => {
    if (url !== '/v1/chat/completions') return { status: 404, error: { message: `no ${url}` } };
    const asked = body as { messages: Message[]; tools?: { function: OfferedTool }[] };
    const question = {
      said: asked.messages.map(({ role, content }) => ({ role, text: textOf(content) })),
      tools: (asked.tools ?? []).map((tool) => tool.function),
    };
    questions.push(question);
    return completion(questions.length, replyTo(question));
  });
  return { url: `${server.url}/v1`, questions, close: server.close };
}

function textOf(content: Message['content']): string {
  if (typeof content === 'string') return content;
  return (content ?? []).map(({ text }) => text ?? '').join('');
}

/** https://platform.openai.com/docs/api-reference/chat/object */
function completion(number: number, reply: Reply): object {
  const message =
    typeof reply === 'string'
      ? { role: 'assistant', content: reply }
      : {
          role: 'assistant',
          content: null,
          tool_calls: [
            {
              id: `call_${number}`,
              type: 'function',
              function: { name: reply.tool, arguments: JSON.stringify(reply.input) },
            },
          ],
        };
  return {
    id: `chatcmpl-${number}`,
    object: 'chat.completion',
    created: 0,
    model: 'stand-in',
    choices: [
      { index: 0, message, finish_reason: typeof reply === 'string' ? 'stop' : 'tool_calls' },
    ],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  };
}
