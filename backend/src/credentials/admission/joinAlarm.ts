import type { AuthId } from "@rport/protocol/ids";
import type { Limits } from "../../limits/limits.ts";
import { Budget } from "../../platform/budget.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Floods } from "./floods.ts";
import type { Newcomer } from "./waitingRoom.ts";

/** New clients are counted over this time. */
const WINDOW_S = 600;
/** Credentials remembered. */
const CREDENTIALS_MAX = 100_000;

/** What the alarm needs. */
export interface JoinAlarmDeps {
  readonly clock: Clock;
  readonly limits: Pick<Limits, "max">;
  /** Where alarms begin and end; they are told there, once each. */
  readonly crowds: Pick<Floods, "note">;
}

/**
 * Notices many new clients of one credential within minutes, though each of them was let in: whoever
 * installs them expects that, and whoever does not has lost a secret.
 */
export class JoinAlarm {
  readonly #deps: JoinAlarmDeps;
  readonly #budget: Budget<AuthId>;

  constructor(deps: JoinAlarmDeps) {
    this.#deps = deps;
    this.#budget = new Budget({ clock: deps.clock, keysMax: CREDENTIALS_MAX });
  }

  /** A new client was let in; `own` is the rate that somebody has set for its credential. */
  joined(id: AuthId, own: number | null, { clientId, address }: Newcomer): void {
    const { limits, crowds } = this.#deps;
    const usual = Math.max(limits.max("new_clients_alarm"), own ?? 0);
    const isUsual = this.#budget.spend(id, 1, { burst: usual, perSecond: usual / WINDOW_S }) === 0;
    if (!isUsual) crowds.note({ credentialId: id, why: "many-joins", clientId, address });
  }

  /** The credential is gone. */
  forget(id: AuthId): void {
    this.#budget.forget(id);
  }
}
