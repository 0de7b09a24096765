import type { AuthId, ClientId, SecretId } from "@rport/protocol/ids";
import type { DeletionReport } from "@rport/protocol/report";
import type { Clock } from "../../platform/clock.ts";
import { inSlices } from "../../platform/slices.ts";
import type { ClientPort, ClientRef, PairingPort, SessionHandle, SessionPort } from "../ports.ts";

/** Everything that ends when something is taken away. */
export interface Blast {
  readonly clients: readonly ClientRef[];
  /** Asked at the last moment: somebody may have signed in while the mark was written. */
  readonly sessions: () => readonly SessionHandle[];
  /** How many open pairings can no longer be claimed. */
  readonly pairings: number;
  /** Ends those pairings. */
  readonly endPairings: () => void;
}

/**
 * What cutting takes of a turn of the event loop. With a few milliseconds, thousands would wait for
 * each other longer than they may: what else there is to do comes in between, also by those cut.
 */
const CUT_MS = 20;

/** Where it is looked up who is hit. */
export interface BlastDeps {
  readonly clients: Pick<ClientPort, "clientsOf">;
  readonly sessions: Pick<SessionPort, "ofCredential">;
  readonly pairings: PairingPort;
}

/** What hangs on a whole credential. */
export function blastOfCredential(id: AuthId, { clients, sessions, pairings }: BlastDeps): Blast {
  return {
    clients: clients.clientsOf(id),
    sessions: () => sessions.ofCredential(id).slice(),
    pairings: pairings.openOf(id),
    endPairings: () => void pairings.revokeOf(id),
  };
}

/** Secrets of one credential that are taken away. */
export interface TakenSecrets {
  readonly credential: AuthId;
  readonly ids: ReadonlySet<SecretId>;
  /** Whether the client of a record is hit; absent: when its record stands on one of them. */
  readonly isHit?: (client: ClientRef) => boolean;
}

/** What hangs on some secrets of a credential. */
export function blastOfSecrets({ credential, ids, isHit }: TakenSecrets, deps: BlastDeps): Blast {
  const { clients, sessions, pairings } = deps;
  const stands = ({ secretId }: ClientRef): boolean => secretId !== undefined && ids.has(secretId);
  return {
    clients: clients.clientsOf(credential).filter(isHit ?? stands),
    sessions: () =>
      sessions.ofCredential(credential).filter((session) => ids.has(session.secretId)),
    pairings: pairings.openOf(credential, ids),
    endPairings: () => void pairings.revokeOf(credential, ids),
  };
}

/** What goes with the record of a client; nothing is connected there. */
export function blastOfRecord(client: ClientRef | undefined): Blast {
  const clients = client === undefined ? [] : [client];
  return { clients, sessions: () => [], pairings: 0, endPairings: () => undefined };
}

/** Tells what is hit. Nothing happens. */
export function reportOf({ clients, sessions, pairings }: Blast): DeletionReport {
  return {
    clients: clients.map(({ id, name, connected, tunnels }) => ({ id, name, connected, tunnels })),
    disconnected: sessions().length,
    pairings,
    offline: clients.filter(({ connected }) => !connected).map(({ id }) => id),
  };
}

/** What a strike needs. */
export interface StrikeDeps {
  readonly clock: Pick<Clock, "monotonic">;
}

/**
 * Ends what hangs on something that is taken away, as often as that has to be looked up, and tells
 * what it was in all. Whatever let it in has to be taken away before, in memory at least.
 */
export class Strike {
  readonly #reason: string;
  readonly #deps: StrikeDeps;
  readonly #hit = new Set<SessionHandle>();
  readonly #told = new Map<ClientId, DeletionReport["clients"][number]>();
  #pairings = 0;

  /** `reason` is a sentence for the log. */
  constructor(reason: string, deps: StrikeDeps) {
    this.#reason = reason;
    this.#deps = deps;
  }

  /** Who and what was hit, each once. */
  get report(): DeletionReport {
    const clients = [...this.#told.values()];
    return {
      clients,
      disconnected: this.#hit.size,
      pairings: this.#pairings,
      offline: clients.filter(({ connected }) => !connected).map(({ id }) => id),
    };
  }

  /**
   * Ends what is hit and was not hit before. Who it is is clear, and the pairings have ended, before
   * this returns; the sessions end some milliseconds per turn of the event loop. When it resolves all
   * have ended, and nothing shows them any more.
   */
  async hit(blast: Blast): Promise<void> {
    for (const { id, name, connected, tunnels } of blast.clients) {
      if (!this.#told.has(id)) this.#told.set(id, { id, name, connected, tunnels });
    }
    this.#pairings += blast.pairings;
    blast.endPairings();
    await this.cut(blast);
  }

  /** Ends sessions that were not there when it was hit: somebody may have been on the way in. */
  async cut({ sessions }: Pick<Blast, "sessions">): Promise<void> {
    const fresh = sessions().filter((session) => !this.#hit.has(session));
    for (const session of fresh) this.#hit.add(session);
    const { clock } = this.#deps;
    await inSlices(fresh, { clock, sliceMs: CUT_MS }, (session) => session.dismiss(this.#reason));
    await Promise.all(fresh.map((session) => session.gone));
  }
}
