/** Why a consent did not end in a connection; each has a page of its own. */
export type ConsentFault =
  | 'link_unknown'
  | 'link_elsewhere'
  | 'reconnect_unknown'
  | 'state_unknown'
  | 'cookie_mismatch'
  | 'denied'
  | 'google_error'
  | 'exchange_refused'
  | 'google_unreachable'
  | 'operator'
  | 'scope_missing'
  | 'refresh_token_missing'
  | 'other_account'
  | 'step_unknown';

export class ConsentError extends Error {
  override readonly name = 'ConsentError';
  readonly fault: ConsentFault;
  constructor(fault: ConsentFault) {
    super(`consent ended: ${fault}`);
    this.fault = fault;
  }
}
