import { RportError } from "@rport/protocol/errors";
import type { ClientId } from "@rport/protocol/ids";
import { formatHostPort, type HostPort } from "@rport/protocol/remote";
import type { Limits } from "../limits/limits.ts";
import type { Sharer } from "../limits/sharer.ts";
import { UserBudget } from "../limits/userBudget.ts";
import type { Clock } from "../platform/clock.ts";
import { Bursts } from "./bursts.ts";
import type { Audit } from "./entry.ts";

const HOUR_S = 3_600;
/** Targets told apart in a minute: more than fifty users could name who spend all at once. */
const TARGETS_MAX = 100_000;

/** What entries about streams are written with. */
export interface EditorEventsDeps {
  readonly audit: Pick<Audit, "note">;
  readonly limits: Pick<Limits, "max" | "bite">;
  readonly clock: Clock;
}

/** Someone who opens a stream. */
export interface StreamOpener {
  readonly user: Sharer;
  readonly address: string;
}

/** Where a stream goes. */
export interface StreamTarget {
  readonly clientId: ClientId;
  readonly hostname: string | undefined;
  readonly target: HostPort;
}

interface Opening {
  readonly opener: StreamOpener;
  readonly to: StreamTarget;
  readonly action: "open" | "failed";
  readonly reason?: string;
}

/**
 * Writes down which streams editors open. A browser opens many at once: those beyond a few per
 * minute, user and target are counted, and nobody waits for the entries. What a user may have written
 * is limited, too, and beyond it counted in one entry a minute of each kind: whoever opens ever other
 * targets neither fills the disk nor hides what others open.
 */
export class EditorEvents {
  readonly #spent: UserBudget;
  readonly #streams: Bursts;
  readonly #beyond: Bursts;

  constructor(deps: EditorEventsDeps) {
    const { audit, clock } = deps;
    this.#spent = new UserBudget(deps, "stream_entries_per_user", HOUR_S);
    this.#streams = new Bursts({ audit, clock, keysMax: TARGETS_MAX });
    this.#beyond = new Bursts({ audit, clock, max: 0, keysMax: TARGETS_MAX });
  }

  /** Writes all that was only counted so far. */
  close(): void {
    this.#streams.close();
    this.#beyond.close();
  }

  /** What `dial` answers or throws, written down. */
  async watched<T>(opener: StreamOpener, to: StreamTarget, dial: () => Promise<T>): Promise<T> {
    try {
      const stream = await dial();
      this.#note({ opener, to, action: "open" });
      return stream;
    } catch (error) {
      this.#note({ opener, to, action: "failed", reason: RportError.from(error).message });
      throw error;
    }
  }

  #note({ opener, to, action, reason }: Opening): void {
    const { user, address } = opener;
    const target = formatHostPort(to.target);
    const key = `${action} ${user.accountId} ${address} ${to.clientId} ${target}`;
    const entry = {
      application: "client.tunnel.editor",
      action,
      user: user.name,
      remoteIp: address,
      affectedId: target,
      clientId: to.clientId,
      clientHostname: to.hostname,
      response: { reason },
    } as const;
    if (this.#streams.isCounting(key) || this.#spent.spend(user) === 0)
      this.#streams.note(key, entry);
    else this.#beyond.note(`${action} ${user.accountId}`, entry);
  }
}
