/**
 * Every column that holds envelopes, but for the check values, with the column that its rows are
 * known by (the `row` of their cells). The vault seals for no other column, so none can be
 * forgotten by the rotation of keys.
 */
export const sealedColumns = [
  { table: 'google_tokens', row: 'client_id', column: 'access_token' },
  { table: 'google_tokens', row: 'client_id', column: 'refresh_token' },
  { table: 'oauth_states', row: 'state_hash', column: 'code_verifier' },
  { table: 'consent_steps', row: 'token_hash', column: 'sealed' },
] as const;

export type SealedColumn = (typeof sealedColumns)[number];

type CellOf<Column extends SealedColumn> = Column extends SealedColumn
  ? { readonly table: Column['table']; readonly row: string; readonly column: Column['column'] }
  : never;

/** One field of a sealed column; `row` is the value that its row is known by. */
export type SealedCell = CellOf<SealedColumn>;
