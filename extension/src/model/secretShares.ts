import type { Client } from "@rport/protocol/model";

/** Nothing changed: the usual case, so that it costs nothing. */
const NONE: ReadonlySet<string> = new Set();

type Signed = Pick<Client, "client_auth_id" | "secret">;

/**
 * How many clients last signed in with the same secret, kept up to date in place. Secrets of one
 * client, which is what most hosts have, cost an entry and are never walked over.
 */
export class SecretShares {
  /** Clients by secret. */
  readonly #counts = new Map<string, number>();
  /** By credential, its secrets with more than one client. */
  readonly #shared = new Map<string, Set<string>>();

  /** The most clients that share one secret of a credential; 0 when none is shared. */
  mostOf(authId: string): number {
    const shared = this.#shared.get(authId) ?? NONE;
    return [...shared].reduce((most, id) => Math.max(most, this.#counts.get(id) ?? 0), 0);
  }

  /** Forgets everything. */
  clear(): void {
    this.#counts.clear();
    this.#shared.clear();
  }

  /** Counts a client. */
  add({ client_auth_id: authId, secret }: Signed): void {
    if (secret !== null) this.#count(authId, secret.id, 1);
  }

  /** Takes over a change of one client. Answers the credentials whose sharing may have changed. */
  update(before: Signed | undefined, after: Signed | undefined): ReadonlySet<string> {
    const isSame =
      before?.secret?.id === after?.secret?.id && before?.client_auth_id === after?.client_auth_id;
    if (isSame) return NONE;
    if (before !== undefined && before.secret !== null) {
      this.#count(before.client_auth_id, before.secret.id, -1);
    }
    if (after !== undefined) this.add(after);
    const touched = [before, after].filter((each) => (each?.secret ?? null) !== null);
    return new Set(touched.map((each) => each?.client_auth_id ?? ""));
  }

  #count(authId: string, secretId: string, change: 1 | -1): void {
    const clients = (this.#counts.get(secretId) ?? 0) + change;
    if (clients > 0) this.#counts.set(secretId, clients);
    else this.#counts.delete(secretId);
    const shared = this.#shared.get(authId) ?? new Set<string>();
    if (clients > 1) this.#shared.set(authId, shared.add(secretId));
    else shared.delete(secretId);
  }
}
