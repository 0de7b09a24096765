import type { ClientId, SecretId } from "@rport/protocol/ids";
import type { SecretRow } from "../../store/records/secretRow.ts";
import type { LedgerEntry } from "../ledger/ledgerEntry.ts";
import type { ClientPort, SessionPort } from "../ports.ts";

/** Secrets of a credential that go, and where it is looked up which hosts stand on them. */
export interface HeirDeps {
  readonly entry: LedgerEntry;
  readonly ids: ReadonlySet<SecretId>;
  readonly clients: Pick<ClientPort, "clientsOf">;
  readonly sessions: Pick<SessionPort, "ofCredential">;
}

/**
 * Secrets that are offered in the place of those that go, and may be stored without a word: what the
 * hosts that stand on those had not used when this was made, and what they are given from then on.
 */
export class Heirs {
  readonly #deps: HeirDeps;
  readonly #hosts = new Set<ClientId>();
  readonly #used: ReadonlySet<SecretId>;

  constructor(deps: HeirDeps) {
    this.#deps = deps;
    const used = deps.entry.secrets().filter((row) => row.last_used_at !== null);
    this.#used = new Set(used.map(({ id }) => id));
  }

  /** Those that are there now and not `gone`. */
  next(gone: ReadonlySet<SecretId>): SecretRow[] {
    this.#lookForHosts();
    return [...this.#hosts]
      .flatMap((host) => this.#deps.entry.secretsOf(host))
      .filter(({ id, origin }) => origin === "rotation" && !gone.has(id) && !this.#used.has(id))
      .filter(({ state }) => state !== "revoked");
  }

  #lookForHosts(): void {
    const { entry, ids, clients, sessions } = this.#deps;
    for (const { id, secretId } of clients.clientsOf(entry.id)) {
      if (secretId !== undefined && ids.has(secretId)) this.#hosts.add(id);
    }
    for (const { clientId, secretId } of sessions.ofCredential(entry.id)) {
      if (clientId !== undefined && ids.has(secretId)) this.#hosts.add(clientId);
    }
  }
}
