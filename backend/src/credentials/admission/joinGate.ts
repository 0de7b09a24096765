import { RportError } from "@rport/protocol/errors";
import type { AuthId } from "@rport/protocol/ids";
import type { Join } from "@rport/protocol/model";
import type { Ledger } from "../ledger/ledger.ts";
import type { LiveCredential } from "../ledger/liveCredential.ts";
import type { Admissions } from "./admissions.ts";
import { DENIALS, type Denial, refused } from "./denials.ts";
import type { Floods } from "./floods.ts";
import { type JoinRate, joinLimit } from "./joinRate.ts";
import type { AcceptedLogin, RefusedAdmission } from "./verdicts.ts";
import type { Joining, JoinOutcome, Joins } from "./waitingRoom.ts";

/** What the gate decides by. */
export interface JoinGateDeps {
  readonly ledger: Ledger;
  readonly admissions: Admissions;
  readonly joins: Joins;
  readonly floods: Floods;
  readonly rate: JoinRate;
}

/** What people do with clients that wait. */
export interface JoinDesk {
  list(): readonly Join[];
  get(id: string): Join | undefined;
  /** Lets the client in. Fails with `NOT_FOUND`, or `CONFLICT` when there is no room for it. */
  approve(id: string): Join;
  /** Turns the client away; fails with `NOT_FOUND`. */
  deny(id: string): Join;
}

/** What became of a client that waited, in words for its agent. */
const ENDS = {
  denied: { why: "not-approved", text: "This host was not approved for these credentials." },
  late: {
    why: "not-approved",
    text: "This host waits for approval on the server; it is let in when somebody approves it.",
  },
  gone: { why: "not-approved", text: "This host does not wait for approval any more." },
} as const satisfies Readonly<Record<Exclude<JoinOutcome, "approved">, Denial>>;

/**
 * Where clients pass that were not seen with their credential before: so many per minute, or one
 * by one with somebody's approval. Whoever is known, see `Admissions.isKnown`, passes without a look
 * at either.
 */
export class JoinGate implements JoinDesk {
  readonly #deps: JoinGateDeps;

  constructor(deps: JoinGateDeps) {
    this.#deps = deps;
  }

  /**
   * Resolves with undefined when the client may go on, which with `limits.approval` may take
   * minutes, or with why not. A refusal costs no write. Fails with `DISK_FULL` when a single-use
   * secret cannot be bound to a client that has to wait.
   */
  async pass(login: AcceptedLogin, joining: Joining): Promise<RefusedAdmission | undefined> {
    const { ledger, joins, rate, admissions, floods } = this.#deps;
    const live = ledger.get(login.credentialId);
    if (live === undefined) return refused(DENIALS.deleted);
    // Before anything else: who shows a secret of another host may not even ask for this one.
    const denial = this.#whyNot(live, login, joining);
    if (denial !== undefined) return refused(denial);
    if (admissions.isKnown(live, joining.clientId)) return undefined;
    const { approval, joins_per_minute: own } = live.record.limits;
    if (!approval) {
      const limit = joinLimit(own, floods.since(live.id) !== null);
      return rate.take(live.id, limit) ? undefined : refused(this.#tooMany(live, joining));
    }
    const decision = joins.decisionOn(live.id, joining);
    if (decision === "approved") return undefined;
    if (decision === "denied") return refused(ENDS.denied);
    return await this.#wait(live, login, joining);
  }

  list(): readonly Join[] {
    return this.#deps.joins.list();
  }

  get(id: string): Join | undefined {
    return this.#deps.joins.get(id);
  }

  deny(id: string): Join {
    return this.#deps.joins.deny(id);
  }

  approve(id: string): Join {
    const { joins, admissions, ledger } = this.#deps;
    const join = joins.get(id);
    const live = join && ledger.get(join.credential_id);
    const full = live && admissions.whyTooMany(live, join.client_id);
    if (full !== undefined) throw new RportError("CONFLICT", full.text);
    return joins.approve(id);
  }

  /** To be called when a credential, its limits or its secrets have changed. */
  recheck(id: AuthId): void {
    const { joins, ledger, admissions, floods, rate } = this.#deps;
    const live = ledger.get(id);
    if (live === undefined) {
      floods.forget(id);
      rate.forget(id);
    }
    joins.drop((join, secretId) => {
      if (join.credential_id !== id) return false;
      if (live === undefined || !live.record.limits.approval) return true;
      const denial = admissions.whyNot(live, secretId, join.client_id);
      return denial !== undefined && denial.why !== "too-many-clients";
    });
  }

  async #wait(
    live: LiveCredential,
    login: AcceptedLogin,
    joining: Joining,
  ): Promise<RefusedAdmission | undefined> {
    const { joins, admissions } = this.#deps;
    if (!joins.hasRoom(live.id, joining)) return refused(this.#tooMany(live, joining));
    await admissions.bind(live, login.secretId, joining.clientId);
    const denial = this.#whyNot(live, login, joining);
    if (denial !== undefined) return refused(denial);
    if (!joins.hasRoom(live.id, joining)) return refused(this.#tooMany(live, joining));
    const outcome = await joins.hold(login, joining);
    const late = this.#whyNot(live, login, joining);
    if (late !== undefined) return refused(late);
    const isFree = outcome === "gone" && !live.record.limits.approval;
    return outcome === "approved" || isFree ? undefined : refused(ENDS[outcome]);
  }

  #whyNot(live: LiveCredential, login: AcceptedLogin, joining: Joining): Denial | undefined {
    const { admissions, floods } = this.#deps;
    const denial = admissions.whyNot(live, login.secretId, joining.clientId);
    if (denial?.why === "too-many-clients") {
      floods.note({ ...joining, credentialId: live.id, reason: denial.why });
    }
    return denial;
  }

  #tooMany(live: LiveCredential, joining: Joining): Denial {
    this.#deps.floods.note({ ...joining, credentialId: live.id, reason: "join-rate" });
    const text = "Too many new hosts come with these credentials now; try again in a minute.";
    return { why: "join-rate", text };
  }
}
