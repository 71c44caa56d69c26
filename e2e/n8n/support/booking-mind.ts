import type { Question, Reply } from './model-stand-in.ts';

type Fields = Readonly<Record<string, unknown>>;

/** How a visitor speaks; the mind understands these sentences alone. */
export const askForTimes = (from: string, to: string) => `What is free from ${from} to ${to}?`;
export const takeTime = (which: number, name: string, email: string) =>
  `I take number ${which}. I am ${name}, ${email}.`;

/**
 * The mind of a model that books. It knows what it reads in the messages and nothing else, and uses
 * the tools that it is offered by their schemas: find, hold, book. What it cannot do, it says.
 */
export function bookingMind({ said, tools }: Question): Reply {
  const asked = said.findLastIndex(({ role }) => role === 'user');
  const wish = said[asked]?.text ?? '';
  const answer = said.slice(asked).findLast(({ role }) => role === 'tool')?.text;
  const read = answer === undefined ? [] : fieldsOf(answer);

  const use = (names: readonly string[], input: Record<string, string>): Reply => {
    // n8n puts the name of an MCP client before the names of its tools.
    const tool = tools.find(({ name }) => names.includes(name.replace(/^Calhook_/, '')));
    if (!tool) return `There is no tool ${names.join(' or ')}.`;
    const { properties, required = [] } = tool.parameters;
    const [botId] = /bot-[0-9a-z]+/.exec(said[0]?.text ?? '') ?? [];
    const whole = 'botId' in properties && botId ? { botId, ...input } : input;
    const unknown = Object.keys(whole).filter((name) => !(name in properties));
    const missing = required.filter((name) => !(name in whole));
    if (unknown.length + missing.length === 0) return { tool: tool.name, input: whole };
    return `${tool.name} does not take ${unknown}, and needs ${missing}.`;
  };

  const refusal = read.map(refusalIn).find((text) => text !== null);
  if (refusal) return refusal;

  const [, from, to] = /free from (\S+) to (\S+)\?/.exec(wish) ?? [];
  if (from && to) {
    if (answer === undefined) return use(['find_slots'], { from, to });
    const slots = read
      .flatMap((fields) => (Array.isArray(fields.slots) ? (fields.slots as Fields[]) : [fields]))
      .filter(({ date, time }) => date && time);
    if (slots.length === 0) return `Nothing is free: ${answer}`;
    return slots.map(({ date, time }, index) => `${index + 1}: ${date} ${time}`).join('\n');
  }

  const [, which, customerName, email] = /number (\d+)\. I am (.+), (\S+)\./.exec(wish) ?? [];
  if (!which || !customerName || !email) return `I do not understand: ${wish}`;
  const offer = said.findLast(({ role, text }) => role === 'assistant' && /^1: /.test(text));
  const [, date, time] = new RegExp(`^${which}: (\\S+) (\\S+)$`, 'm').exec(offer?.text ?? '') ?? [];
  if (!date || !time) return 'I have not offered that.';
  if (answer === undefined) return use(['hold_slot'], { date, time });
  const { holdId, success, when } = read[0] ?? {};
  if (success === true) return `Booked: ${when}`;
  if (typeof holdId !== 'string') return `I cannot read ${answer}`;
  return use(['book_appointment', 'book'], { holdId, customerName, email, date, time });
}

/** The objects in the answer of a tool: JSON, perhaps a list, perhaps in what MCP wraps around. */
function fieldsOf(value: unknown): Fields[] {
  if (typeof value === 'string') {
    return /^\s*[[{]/.test(value) ? fieldsOf(JSON.parse(value)) : [];
  }
  if (Array.isArray(value)) return value.flatMap(fieldsOf);
  const fields = value as Fields;
  const wrapped =
    fields.structuredContent ?? fields.response ?? fields.error ?? (fields.type && fields.text);
  return wrapped ? fieldsOf(wrapped) : [fields];
}

function refusalIn({ success, detail, alternatives }: Fields): string | null {
  if (success !== false) return null;
  const free = ((alternatives ?? []) as Fields[]).map(({ label }) => label);
  return free.length > 0 ? `${detail} Free: ${free.join('; ')}` : String(detail);
}
