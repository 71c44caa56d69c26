import type {
  ConnectLinksTable,
  ConsentStepsTable,
  Database,
  OAuthStatesTable,
  Transaction,
} from '../db/index.ts';

export async function insertConnectLink(
  database: Database,
  link: ConnectLinksTable,
  now: number,
): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.deleteFrom('connect_links').where('expires_at', '<', now).execute();
    await tx.deleteFrom('oauth_states').where('expires_at', '<', now).execute();
    await tx.insertInto('connect_links').values(link).execute();
  });
}

export async function findConnectLink(
  database: Database,
  tokenHash: string,
): Promise<ConnectLinksTable | undefined> {
  return database.read
    .selectFrom('connect_links')
    .selectAll()
    .where('token_hash', '=', tokenHash)
    .executeTakeFirst();
}

/** Ends all links of a bot, and the consents begun with them. */
export async function deleteConnectLinks(database: Database, botId: string): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.deleteFrom('connect_links').where('client_id', '=', botId).execute();
    await tx.deleteFrom('oauth_states').where('client_id', '=', botId).execute();
  });
}

/**
 * Binds a link to the browser that holds the cookie, and stores the consent that it starts.
 * False when the link is gone, or bound to another browser.
 */
export async function bindLinkAndInsertState(
  database: Database,
  state: OAuthStatesTable,
): Promise<boolean> {
  return database.transaction(async (tx) => {
    const bound = await tx
      .updateTable('connect_links')
      .set({ cookie_hash: state.cookie_hash })
      .where('token_hash', '=', state.link_hash)
      .where((eb) =>
        eb.or([eb('cookie_hash', 'is', null), eb('cookie_hash', '=', state.cookie_hash)]),
      )
      .executeTakeFirst();
    if (bound.numUpdatedRows === 0n) return false;
    await tx.insertInto('oauth_states').values(state).execute();
    return true;
  });
}

/** Removes a state and returns it: no state is ever used twice. */
export async function consumeState(
  database: Database,
  stateHash: string,
): Promise<OAuthStatesTable | undefined> {
  return database.transaction((tx) =>
    tx
      .deleteFrom('oauth_states')
      .where('state_hash', '=', stateHash)
      .returningAll()
      .executeTakeFirst(),
  );
}

/** Ends a link; false when it was ended before. */
export async function consumeLink(tx: Transaction, linkHash: string): Promise<boolean> {
  const result = await tx
    .deleteFrom('connect_links')
    .where('token_hash', '=', linkHash)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}

export async function insertStep(database: Database, step: ConsentStepsTable): Promise<void> {
  await database.transaction((tx) => tx.insertInto('consent_steps').values(step).execute());
}

export async function findStep(
  database: Database,
  tokenHash: string,
): Promise<ConsentStepsTable | undefined> {
  return database.read
    .selectFrom('consent_steps')
    .selectAll()
    .where('token_hash', '=', tokenHash)
    .executeTakeFirst();
}

/** Removes a step and returns it: each is taken once, by the browser that it belongs to. */
export async function consumeStep(
  database: Database,
  tokenHash: string,
  cookieHash: string | null,
): Promise<ConsentStepsTable | undefined> {
  return database.transaction((tx) =>
    tx
      .deleteFrom('consent_steps')
      .where('token_hash', '=', tokenHash)
      .where((eb) =>
        cookieHash === null
          ? eb('cookie_hash', 'is', null)
          : eb.or([eb('cookie_hash', 'is', null), eb('cookie_hash', '=', cookieHash)]),
      )
      .returningAll()
      .executeTakeFirst(),
  );
}

/** Removes and returns steps that nobody took in time. */
export async function takeExpiredSteps(
  database: Database,
  now: number,
): Promise<ConsentStepsTable[]> {
  return database.transaction((tx) =>
    tx.deleteFrom('consent_steps').where('expires_at', '<=', now).returningAll().execute(),
  );
}
