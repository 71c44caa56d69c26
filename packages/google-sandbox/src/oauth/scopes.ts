const GOOGLE_SCOPE = 'https://www.googleapis.com/auth/';

export const EMAIL_SCOPE = `${GOOGLE_SCOPE}userinfo.email`;
export const PROFILE_SCOPE = `${GOOGLE_SCOPE}userinfo.profile`;

/** Short names that come back in their long form (facts §1 "Granular consent"). */
const ALIASES: Record<string, string> = { email: EMAIL_SCOPE, profile: PROFILE_SCOPE };

/** Scopes of signing in: consented as a block, never offered as a tick box. */
const SIGN_IN_SCOPES = new Set(['openid', EMAIL_SCOPE, PROFILE_SCOPE]);

/** What the consent page says about a scope. */
const WORDING: Record<string, string> = {
  openid: 'Associate you with your personal info on Google',
  [EMAIL_SCOPE]: 'See your primary Google Account email address',
  [PROFILE_SCOPE]: 'See your personal info, including any personal info you’ve made public',
  calendar: 'See, edit, share and permanently delete all the calendars you can access',
  'calendar.readonly': 'See and download any calendar you can access',
  'calendar.events': 'View and edit events on all your calendars',
  'calendar.events.readonly': 'View events on all your calendars',
  'calendar.events.owned': 'See, create, change and delete events on calendars you own',
  'calendar.events.owned.readonly': 'See the events on calendars you own',
  'calendar.events.freebusy': 'See the availability on calendars you have access to',
  'calendar.events.public.readonly': 'See the events on public calendars',
  'calendar.freebusy': 'View your availability in your calendars',
  'calendar.settings.readonly': 'View your Calendar settings',
  'calendar.calendarlist': 'See, add and remove calendars you’re subscribed to',
  'calendar.calendarlist.readonly': 'See the list of calendars you’re subscribed to',
  'calendar.calendars': 'See and change the properties of calendars you have access to',
  'calendar.calendars.readonly': 'See the title, description and time zone of calendars',
  'calendar.app.created':
    'Make secondary calendars, and see, create, change and delete events on them',
  'calendar.acls': 'See and change the sharing permissions of calendars you own',
  'calendar.acls.readonly': 'See the sharing permissions of calendars you own',
};

/** The scope names of a request in Google's long form, each once. */
export function parseScopes(text: string): string[] {
  const names = text.split(/\s+/).filter((name) => name !== '');
  return [
    ...new Set(
      names.map((name) => (Object.hasOwn(ALIASES, name) ? ALIASES[name] : name) as string),
    ),
  ];
}

export function isKnownScope(scope: string): boolean {
  return SIGN_IN_SCOPES.has(scope) || /^https:\/\/www\.googleapis\.com\/auth\/[\w.-]+$/.test(scope);
}

export function isSignInScope(scope: string): boolean {
  return SIGN_IN_SCOPES.has(scope);
}

export function scopeWording(scope: string): string {
  const short = scope.startsWith(GOOGLE_SCOPE) ? scope.slice(GOOGLE_SCOPE.length) : scope;
  return WORDING[scope] ?? WORDING[short] ?? scope;
}

/**
 * Which scopes get a tick box: none when there is one scope beside nothing else, all that are not
 * for signing in otherwise (facts §1 "Granular consent").
 */
export function tickableScopes(scopes: readonly string[]): string[] {
  if (scopes.length < 2) return [];
  return scopes.filter((scope) => !isSignInScope(scope));
}

/** Space separated, in Google's order, which is not the order of the request. */
export function scopeText(scopes: Iterable<string>): string {
  return [...scopes].sort().join(' ');
}
