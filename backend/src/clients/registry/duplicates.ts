import type { ClientId } from "@rport/protocol/ids";
import type { Duplicate } from "@rport/protocol/model";
import { beginningOf } from "@rport/protocol/ownText";
import { type Clock, type Timer, toTime } from "../../platform/clock.ts";
import { RecentMap } from "../../platform/recentMap.ts";
import type { LiveSession } from "../liveSession.ts";

/** Agents try again every five minutes at the latest: one that was not seen for longer is gone. */
export const DUPLICATE_KEPT_MS = 15 * 60_000;
/** Ids that are remembered; beyond these the oldest one is forgotten. */
const IDS_MAX = 1_000;
const LINE_MAX = 255;

/** A session that wants to speak for a client id, and the host behind it. */
export interface Claimant {
  readonly id: ClientId;
  readonly session: LiveSession;
  readonly address: string;
  /** What it calls itself, fit to be shown. */
  readonly hostname: string;
}

/** What is remembered of a claimant that was refused, because the host it claims to be is there. */
export interface RefusedClaimant extends Pick<Claimant, "address" | "hostname"> {
  readonly sameHostKey: boolean;
}

/** What duplicates need. */
export interface DuplicatesDeps {
  readonly clock: Clock;
  readonly touch: (entity: "client", id: string) => void;
}

interface Claim {
  readonly shown: Duplicate;
  readonly timer: Timer;
}

/**
 * Hosts that were refused because another one that is connected has their id: the latest of each
 * id. In memory, because whoever is still there tries again soon.
 */
export class Duplicates {
  readonly #deps: DuplicatesDeps;
  readonly #claims = new RecentMap<ClientId, Claim>(IDS_MAX);

  constructor(deps: DuplicatesDeps) {
    this.#deps = deps;
  }

  /** The host that claims this id beside the one that is connected. */
  get(id: ClientId): Duplicate | undefined {
    return this.#claims.get(id)?.shown;
  }

  /** Somebody was refused as `id`. */
  note(id: ClientId, { address, hostname, sameHostKey }: RefusedClaimant): void {
    const { clock, touch } = this.#deps;
    const before = this.#claims.get(id);
    before?.timer.cancel();
    const shown = {
      address,
      hostname: beginningOf(hostname, LINE_MAX),
      same_host_key: sameHostKey,
      count: (before?.shown.count ?? 0) + 1,
      last_at: toTime(clock.now()),
    };
    const timer = clock.after(DUPLICATE_KEPT_MS, () => this.forget(id));
    const evicted = this.#claims.set(id, { shown, timer });
    if (evicted !== undefined) {
      evicted[1].timer.cancel();
      touch("client", evicted[0]);
    }
    touch("client", id);
  }

  /** There is nothing to tell of this id any more. */
  forget(id: ClientId): void {
    const claim = this.#claims.get(id);
    if (claim === undefined) return;
    claim.timer.cancel();
    this.#claims.delete(id);
    this.#deps.touch("client", id);
  }

  /** Stops its timers. */
  close(): void {
    for (const [, { timer }] of this.#claims) timer.cancel();
    this.#claims.clear();
  }
}
