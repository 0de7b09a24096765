import { RportError } from "@rport/protocol/errors";
import type { AuthId } from "@rport/protocol/ids";
import type { DeletionReport } from "@rport/protocol/report";
import { Turns } from "../../platform/turns.ts";
import { type Arrears, failureOf, notDurable } from "../ledger/arrears.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { LiveCredential } from "../ledger/liveCredential.ts";
import type { CredentialTouch, PairingPort, SessionPort } from "../ports.ts";
import { blastOfCredential, reportOf, strike } from "./blast.ts";

/** How a credential is to be removed. */
export interface RemovalOptions {
  /** Also when clients use it, or came in with it last. */
  readonly force: boolean;
  /** Their records go as well, save those of revoked clients: they are what keeps them out. */
  readonly purge: boolean;
  /** Only tell what would happen, whatever `force` says. */
  readonly dryRun: boolean;
  /** Not even a host that is about to come in, or an open pairing, may be there. */
  readonly onlyUnused?: boolean;
}

/** A removal that is under way; whoever asks for more meanwhile gets it. */
interface Running {
  purge: boolean;
  hasPurged: boolean;
}

/** What removals need. */
export interface RemovalDeps {
  readonly ledger: Ledger;
  readonly arrears: Arrears;
  readonly touch: CredentialTouch;
  readonly sessions: () => SessionPort;
  readonly pairings: () => PairingPort;
}

/** Removes credentials so that nobody slips back in while it happens, or after a crash. */
export class Removals {
  readonly #deps: RemovalDeps;
  readonly #running = new Map<
    AuthId,
    { readonly how: Running; readonly removal: Promise<DeletionReport> }
  >();
  readonly #turns = new Turns<AuthId>();

  constructor(deps: RemovalDeps) {
    this.#deps = deps;
  }

  /**
   * Marks the credential durably, so that no login passes; then ends its sessions; then removes
   * what is kept. Fails with `ERR_CODE_CLIENT_AUTH_NOT_FOUND` or `ERR_CODE_CLIENT_AUTH_HAS_CLIENT`;
   * with `NOT_DURABLE` when the disk takes no mark: then no login passes and the sessions have ended
   * all the same, and the rest follows when the disk allows. Called twice at once, both calls get the
   * same report, and the records go if one of them says so.
   */
  async remove(id: AuthId, options: RemovalOptions): Promise<DeletionReport> {
    const running = this.#running.get(id);
    if (running !== undefined && !options.dryRun) {
      running.how.purge ||= options.purge;
      const report = await running.removal;
      if (options.purge && !running.how.hasPurged) await this.#deps.sessions().purge(id);
      return report;
    }
    const live = this.#deps.ledger.get(id);
    if (live === undefined) throw notFound();
    const kept = options.purge ? this.#keptOf(id) : {};
    if (options.dryRun) return { ...reportOf(blastOfCredential(id, this.#deps)), ...kept };
    this.#refuseUsed(live, options);
    const how: Running = { purge: options.purge, hasPurged: false };
    const refuse = () => this.#refuseUsed(live, options);
    const removal = this.#turns.run(id, () => this.#remove(live, how, refuse));
    this.#running.set(id, { how, removal });
    try {
      return { ...(await removal), ...kept };
    } finally {
      this.#running.delete(id);
    }
  }

  async #remove(live: LiveCredential, how: Running, refuse: () => void): Promise<DeletionReport> {
    const { ledger, arrears, touch } = this.#deps;
    if (ledger.get(live.id) !== live) throw notFound();
    const unmarked = await failureOf(() => ledger.mark(live, refuse));
    if (unmarked !== undefined) ledger.markInMemory(live);
    const blast = blastOfCredential(live.id, this.#deps);
    const report = strike(blast, "the credential was deleted", touch);
    touch("credential", live.id);
    const failure = unmarked ?? (await failureOf(() => this.#clear(live, how)));
    if (failure === undefined) return report;
    arrears.owe(() => this.#turns.run(live.id, () => this.#makeUp(live, how)));
    // The mark is what counts: what is swept up later opens nothing.
    if (unmarked === undefined && !how.purge) return report;
    throw notDurable(told(live, report), failure);
  }

  /** Does what the disk did not allow; nothing when somebody has done it meanwhile. */
  async #makeUp(live: LiveCredential, how: Running): Promise<void> {
    if (this.#deps.ledger.get(live.id) !== live) return;
    await this.#deps.ledger.mark(live);
    await this.#clear(live, how);
  }

  /** Removes what is kept of a credential that is marked. */
  async #clear(live: LiveCredential, how: Running): Promise<void> {
    const { ledger, touch, sessions } = this.#deps;
    const clients = sessions().clientsOf(live.id);
    if (how.purge) {
      await sessions().purge(live.id);
      how.hasPurged = true;
    }
    await ledger.erase(live);
    touch("credential", live.id);
    for (const client of clients) touch("client", client.id);
  }

  #keptOf(id: AuthId): Pick<DeletionReport, "kept"> {
    const revoked = this.#deps
      .sessions()
      .clientsOf(id)
      .filter(({ isRevoked }) => isRevoked);
    return revoked.length === 0 ? {} : { kept: revoked.map((client) => client.id) };
  }

  #refuseUsed(live: LiveCredential, { force, onlyUnused }: RemovalOptions): void {
    const { sessions, pairings } = this.#deps;
    const { total, connected } = sessions().countOf(live.id);
    const isClaimed = sessions().ofCredential(live.id).length + pairings().openOf(live.id) > 0;
    if (force || (total === 0 && !(onlyUnused && isClaimed))) return;
    throw new RportError(
      "ERR_CODE_CLIENT_AUTH_HAS_CLIENT",
      `The credential "${live.id}" is used by ${total} ${total === 1 ? "client" : "clients"}, ` +
        `${connected} of them connected.`,
      { detail: "Use force=true to end their sessions and delete it." },
    );
  }
}

function told({ id }: LiveCredential, { disconnected }: DeletionReport): string {
  const sessions = disconnected === 1 ? "1 session was" : `${disconnected} sessions were`;
  return `The credential "${id}" lets nobody in any more and ${sessions} ended`;
}

function notFound(): RportError {
  return new RportError("ERR_CODE_CLIENT_AUTH_NOT_FOUND", "There is no such credential.");
}
