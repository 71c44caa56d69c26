import Type, { type Static } from 'typebox';
import { BotId, FutureInstant, Instant, nullable, OneLine, strictObject } from './common.ts';

/** What an API key may do. */
export const apiKeyScopes = [
  'status:read',
  'slots:read',
  'appointments:read',
  'appointments:write',
  'bots:manage',
  'connections:manage',
  'keys:manage',
] as const;
export type ApiKeyScope = (typeof apiKeyScopes)[number];

export const CreateApiKey = strictObject({
  name: OneLine({ minLength: 1, maxLength: 120 }),
  scopes: Type.Optional(
    Type.Array(Type.Enum(apiKeyScopes), { minItems: 1, description: 'Default: all.' }),
  ),
  botIds: Type.Optional(
    Type.Array(BotId, { minItems: 1, description: 'Limits the key to these bots. Default: all.' }),
  ),
  expiresAt: Type.Optional(FutureInstant),
});
export type CreateApiKey = Static<typeof CreateApiKey>;

export const ApiKey = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    scopes: Type.Array(Type.Enum(apiKeyScopes)),
    botIds: nullable(Type.Array(Type.String())),
    createdAt: Instant,
    expiresAt: nullable(Instant),
    revokedAt: nullable(Instant),
    lastUsedAt: nullable(Instant),
  },
  { $id: 'ApiKey' },
);
export type ApiKey = Static<typeof ApiKey>;

export const CreatedApiKey = Type.Object({
  apiKey: ApiKey,
  secret: Type.String({ description: 'The whole key; shown this once.' }),
});

export const ApiKeyList = Type.Object({ apiKeys: Type.Array(ApiKey) });
