/** The two databases that Calhook runs on. */
export type DialectName = 'sqlite' | 'postgres';

/** Which database a URL of `CALHOOK_DATABASE_URL` names. */
export function dialectOf(databaseUrl: string): DialectName {
  return databaseUrl.startsWith('sqlite:') ? 'sqlite' : 'postgres';
}
