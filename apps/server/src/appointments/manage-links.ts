import type { Vault } from '../vault/index.ts';

const purpose = 'manage link';
const tokenPattern = /^([A-Za-z0-9-]{1,100})\.([\w-]{1,100})$/;

/**
 * Links by which a customer cancels or moves an appointment: signed, not stored, so that every
 * answer about the appointment can carry its own.
 */
export class ManageLinks {
  readonly #vault: Vault;
  readonly #publicUrl: string;

  constructor(vault: Vault, publicUrl: string) {
    this.#vault = vault;
    this.#publicUrl = publicUrl;
  }

  url(appointmentId: string): string {
    return `${this.#publicUrl}/m/${appointmentId}.${this.#vault.sign(purpose, appointmentId)}`;
  }

  /** The appointment that a token was made for; null when it was made for none. */
  appointmentId(token: string): string | null {
    const [, id, signature] = tokenPattern.exec(token) ?? [];
    if (id === undefined || signature === undefined) return null;
    return this.#vault.verify(purpose, id, signature) ? id : null;
  }
}
