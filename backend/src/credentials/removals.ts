import { RportError } from "@rport/protocol/errors";
import type { AuthId } from "@rport/protocol/ids";
import type { DeletionReport } from "@rport/protocol/report";
import { blastOfCredential, reportOf, strike } from "./blast.ts";
import type { Ledger } from "./ledger.ts";
import type { LiveCredential } from "./liveCredential.ts";
import type { CredentialTouch, PairingPort, SessionPort } from "./session.ts";

/** How a credential is to be removed. */
export interface RemovalOptions {
  /** Also when clients use it, or came in with it last. */
  readonly force: boolean;
  /** Their records go as well. */
  readonly purge: boolean;
  /** Only tell what would happen, whatever `force` says. */
  readonly dryRun: boolean;
}

/** What removals need. */
export interface RemovalDeps {
  readonly ledger: Ledger;
  readonly touch: CredentialTouch;
  readonly sessions: () => SessionPort;
  readonly pairings: () => PairingPort;
}

/** Removes credentials so that nobody slips back in while it happens, or after a crash. */
export class Removals {
  readonly #deps: RemovalDeps;
  readonly #running = new Map<AuthId, Promise<DeletionReport>>();

  constructor(deps: RemovalDeps) {
    this.#deps = deps;
  }

  /**
   * Marks the credential durably, so that no login passes; then ends its sessions; then removes
   * what is kept. Fails with `ERR_CODE_CLIENT_AUTH_NOT_FOUND`, `ERR_CODE_CLIENT_AUTH_HAS_CLIENT`,
   * or `DISK_FULL`. Called twice at once, both calls get the same report.
   */
  async remove(id: AuthId, options: RemovalOptions): Promise<DeletionReport> {
    const running = this.#running.get(id);
    if (running !== undefined) return running;
    const live = this.#deps.ledger.get(id);
    if (live === undefined) throw notFound();
    if (options.dryRun) return reportOf(blastOfCredential(id, this.#deps));
    this.#refuseUsed(live, options);
    const removal = this.#remove(live, options);
    this.#running.set(id, removal);
    try {
      return await removal;
    } finally {
      this.#running.delete(id);
    }
  }

  async #remove(live: LiveCredential, options: RemovalOptions): Promise<DeletionReport> {
    const { ledger, touch, sessions } = this.#deps;
    await ledger.mark(live);
    const blast = blastOfCredential(live.id, this.#deps);
    const report = strike(blast, "the credential was deleted", touch);
    if (options.purge) await sessions().purge(live.id);
    await ledger.erase(live);
    touch("credential", live.id);
    for (const client of report.clients) touch("client", client.id);
    return report;
  }

  #refuseUsed(live: LiveCredential, { force }: RemovalOptions): void {
    const { total, connected } = this.#deps.sessions().countOf(live.id);
    if (force || total === 0) return;
    throw new RportError(
      "ERR_CODE_CLIENT_AUTH_HAS_CLIENT",
      `The credential "${live.id}" is used by ${total} ${total === 1 ? "client" : "clients"}, ` +
        `${connected} of them connected.`,
      { detail: "Use force=true to end their sessions and delete it." },
    );
  }
}

function notFound(): RportError {
  return new RportError("ERR_CODE_CLIENT_AUTH_NOT_FOUND", "There is no such credential.");
}
