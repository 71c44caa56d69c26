import Type, { type TSchema } from 'typebox';

export const botIdPattern = '^bot-[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?$';

export const BotId = Type.String({
  pattern: botIdPattern,
  description: 'Id of a bot: `bot-` and up to 60 lower-case letters, digits and hyphens.',
  examples: ['bot-ada'],
});

export const BotParams = Type.Object({ botId: Type.String({ description: 'Id of the bot.' }) });

/** Epoch milliseconds: the form in which instants travel. */
export const Instant = Type.Integer({ description: 'Epoch milliseconds.' });

/** An instant that a caller may choose; no date lies beyond it, and both databases can hold it. */
export const FutureInstant = Type.Integer({
  minimum: 0,
  maximum: 8_640_000_000_000_000,
  description: 'Epoch milliseconds.',
});

/** A text without control characters, which names have no use for and PostgreSQL partly refuses. */
export function OneLine(options: { minLength: number; maxLength: number; description?: string }) {
  return Type.String({ ...options, pattern: '^[^\\u0000-\\u001f\\u007f]*$' });
}

/** An RFC 3339 date-time with offset, for people and workflows. */
export const DateTime = Type.String({
  description: 'RFC 3339 date-time with offset.',
  examples: ['2026-12-01T10:00:00+01:00'],
});

export function nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()]);
}

/** A JSON object that refuses fields which it does not name. */
export function strictObject<T extends Record<string, TSchema>>(
  properties: T,
  options: { $id?: string; description?: string } = {},
) {
  return Type.Object(properties, { ...options, additionalProperties: false });
}
