import { RportError } from "@rport/protocol/errors";
import type { AuthId } from "@rport/protocol/ids";
import type { Join, JoinReason } from "@rport/protocol/join";
import type { Ledger } from "../ledger/ledger.ts";
import type { LedgerEntry } from "../ledger/ledgerEntry.ts";
import type { ClientPort } from "../ports.ts";
import type { Admissions } from "./admissions.ts";
import { DENIALS, isNoRoom, refused, UNSURE } from "./denials.ts";
import type { Doubts, ShownHost } from "./doubts.ts";
import type { Floods } from "./floods.ts";
import type { JoinAlarm } from "./joinAlarm.ts";
import { type JoinRate, joinLimit } from "./joinRate.ts";
import type { AcceptedLogin, Denial, RefusedAdmission } from "./verdicts.ts";
import type { Newcomer, Question, WaitingRoom, WaitOutcome } from "./waitingRoom.ts";

/** What the gate decides by. */
export interface JoinGateDeps {
  readonly ledger: Ledger;
  readonly admissions: Admissions;
  readonly clients: Pick<ClientPort, "clientOf">;
  readonly doubts: Doubts;
  readonly waitingRoom: WaitingRoom;
  readonly floods: Floods;
  readonly crowds: Pick<Floods, "forget">;
  readonly rate: JoinRate;
  readonly alarm: JoinAlarm;
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
} as const satisfies Readonly<Record<Exclude<WaitOutcome, "approved">, Denial>>;

/**
 * Where clients pass that were not seen with their credential before: so many per minute, save those
 * with a pairing's secret, or one by one with somebody's approval. Whoever is known, see `Admissions.isKnown`, passes without a look
 * at either. Who may not be the client that is on record under its id, see `Doubts`, needs approval
 * whatever its credential says.
 */
export class JoinGate implements JoinDesk {
  readonly #deps: JoinGateDeps;

  constructor(deps: JoinGateDeps) {
    this.#deps = deps;
  }

  /**
   * Resolves with undefined when the client may go on, which with an approval may take minutes, or
   * with why not. A refusal costs no write. Fails with `DISK_FULL` when a single-use
   * secret cannot be bound to a client that has to wait.
   */
  async pass(login: AcceptedLogin, newcomer: Newcomer): Promise<RefusedAdmission | undefined> {
    const { ledger, waitingRoom } = this.#deps;
    const entry = ledger.get(login.credentialId);
    if (entry === undefined) return refused(DENIALS.deleted);
    const denial = this.#whyNot(entry, login, newcomer);
    if (denial !== undefined) return refused(denial);
    const reason = this.#reason(entry, newcomer);
    if (reason === undefined) return undefined;
    if (this.#isFree(entry, reason)) return this.#count(entry, login, newcomer);
    const decision = waitingRoom.decisionOn(entry.id, newcomer);
    if (decision === "approved") return undefined;
    if (decision === "denied") return refused(ENDS.denied);
    return await this.#wait(entry, login, newcomer);
  }

  /**
   * What speaks against a client whatever a person would say: who shows a secret of another host may
   * not even ask for this one, and is no duplicate of it. Undefined: `pass` decides.
   */
  whyNot(login: AcceptedLogin, shown: ShownHost): RefusedAdmission | undefined {
    const entry = this.#deps.ledger.get(login.credentialId);
    if (entry === undefined) return refused(DENIALS.deleted);
    const denial = this.#whyNot(entry, login, shown);
    return denial && refused(denial);
  }

  /** Why nobody knows the client here; undefined: it is known, or approved as another one. */
  #reason(entry: LedgerEntry, newcomer: Newcomer): JoinReason | undefined {
    const { admissions, doubts } = this.#deps;
    const doubt = doubts.about(entry.id, newcomer);
    if (doubt !== undefined) return doubt;
    return admissions.isKnown(entry, newcomer.clientId) ? undefined : "new";
  }

  #isFree(entry: LedgerEntry, reason: JoinReason | undefined): boolean {
    return reason === undefined || (reason === "new" && !entry.record.limits.approval);
  }

  list(): readonly Join[] {
    return this.#deps.waitingRoom.list();
  }

  get(id: string): Join | undefined {
    return this.#deps.waitingRoom.get(id);
  }

  deny(id: string): Join {
    return this.#deps.waitingRoom.deny(id);
  }

  approve(id: string): Join {
    const { waitingRoom, admissions, ledger } = this.#deps;
    const join = waitingRoom.get(id);
    const entry = join && ledger.get(join.credential_id);
    const full = entry && admissions.whyTooMany(entry, join.client_id);
    if (full !== undefined) throw new RportError("CONFLICT", full.text);
    return waitingRoom.approve(id);
  }

  /** To be called when a credential, its limits or its secrets have changed. */
  recheck(id: AuthId): void {
    const { waitingRoom, ledger, admissions, floods, crowds, rate, alarm } = this.#deps;
    const entry = ledger.get(id);
    if (entry === undefined) {
      floods.forget(id);
      rate.forget(id);
      crowds.forget(id);
      alarm.forget(id);
    }
    waitingRoom.drop((join, secretId) => {
      if (join.credential_id !== id) return false;
      if (entry === undefined || this.#isFree(entry, join.reason)) return true;
      const denial = admissions.whyNot(entry, secretId, join.client_id);
      return denial !== undefined && denial.why !== "too-many-clients" && !isNoRoom(denial.why);
    });
  }

  /** A single-use secret lets in the one host that a person made it for, however many others come. */
  #count(
    entry: LedgerEntry,
    { secretId }: AcceptedLogin,
    newcomer: Newcomer,
  ): RefusedAdmission | undefined {
    if (entry.secret(secretId)?.single_use === true) return undefined;
    const { rate, floods, alarm } = this.#deps;
    const { joins_per_minute: own } = entry.record.limits;
    const limit = joinLimit(own, floods.since(entry.id) !== undefined);
    if (!rate.take(entry.id, limit)) return refused(this.#tooMany(entry, newcomer));
    alarm.joined(entry.id, own, newcomer);
    return undefined;
  }

  async #wait(
    entry: LedgerEntry,
    login: AcceptedLogin,
    newcomer: Newcomer,
  ): Promise<RefusedAdmission | undefined> {
    const { waitingRoom, admissions } = this.#deps;
    const question = this.#question(entry, newcomer);
    if (!waitingRoom.hasRoom(login, newcomer)) return refused(this.#tooMany(entry, newcomer));
    await admissions.bind(entry, login.secretId, newcomer.clientId);
    const denial = this.#whyNot(entry, login, newcomer);
    if (denial !== undefined) return refused(denial);
    if (!waitingRoom.hasRoom(login, newcomer)) return refused(this.#tooMany(entry, newcomer));
    const outcome = await waitingRoom.hold(login, newcomer, question);
    const late = this.#whyNot(entry, login, newcomer);
    if (late !== undefined) return refused(late);
    const isFree = outcome === "gone" && this.#isFree(entry, this.#reason(entry, newcomer));
    if (outcome === "approved" || isFree) return undefined;
    const { reason } = question;
    return refused(outcome === "late" && reason !== "new" ? UNSURE[reason] : ENDS[outcome]);
  }

  #question(entry: LedgerEntry, newcomer: Newcomer): Question {
    const reason = this.#reason(entry, newcomer) ?? "new";
    const known = this.#deps.clients.clientOf(newcomer.clientId);
    const former = known?.credentialId;
    return {
      reason,
      known_host_key: known?.hostKey ?? null,
      known_credential_id: former === undefined || former === entry.id ? null : former,
    };
  }

  #whyNot(entry: LedgerEntry, login: AcceptedLogin, newcomer: ShownHost): Denial | undefined {
    const { admissions, floods } = this.#deps;
    const denial = admissions.whyNot(entry, login.secretId, newcomer.clientId);
    if (denial?.why === "too-many-clients" || denial?.why === "credential-full") {
      const { clientId, address } = newcomer;
      floods.note({ credentialId: entry.id, why: denial.why, clientId, address });
    }
    return denial;
  }

  #tooMany(entry: LedgerEntry, newcomer: Newcomer): Denial {
    const { clientId, address } = newcomer;
    this.#deps.floods.note({ credentialId: entry.id, why: "join-rate", clientId, address });
    const text = "Too many new hosts come with these credentials now; try again in a minute.";
    return { why: "join-rate", text };
  }
}
