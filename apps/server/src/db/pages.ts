import { type SelectQueryBuilder, type SqlBool, sql } from 'kysely';

/** What is wanted of a list that is given in pages. */
export interface PageWanted {
  readonly limit: number;
  /** The last id of the page before. */
  readonly cursor: string | undefined;
}

/** A part of a list. */
export interface Page<Row> {
  readonly rows: Row[];
  /** The cursor of the next page; null: there is none. */
  readonly nextCursor: string | null;
}

/** Reads a page of a table's rows in the order of their ids, or against it (`desc`). */
export async function readPage<Schema, From extends keyof Schema, Row extends { id: string }>(
  rows: SelectQueryBuilder<Schema, From, Row>,
  order: 'asc' | 'desc',
  { limit, cursor }: PageWanted,
): Promise<Page<Row>> {
  const follows = sql<SqlBool>`id ${sql.raw(order === 'asc' ? '>' : '<')} ${cursor}`;
  const found = await (cursor === undefined ? rows : rows.where(follows))
    .orderBy(sql`id`, order)
    // One more than is given tells whether there is another page.
    .limit(limit + 1)
    .execute();
  const given = found.slice(0, limit);
  const nextCursor = found.length > limit ? (given.at(-1)?.id ?? null) : null;
  return { rows: given, nextCursor };
}
