import { type AuthId, clientIdSchema, type PairingId, type SecretId } from "@rport/protocol/ids";
import type { Pairing } from "@rport/protocol/pairing/model";
import type { PairingEvents } from "../audit/pairingEvents.ts";
import type { HostStep, PairedHosts } from "../clients/pairedHosts.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import { errorText, type Log } from "../platform/log.ts";
import type { ListedPairing } from "./listedPairing.ts";
import type { NewStep } from "./steps.ts";
import type { PairingClaim, PairingTarget } from "./targets/target.ts";

/** How long an ended pairing stays listed, so that people see what became of it. */
const LISTED_AFTER_END_MS = 30 * 60_000;

/** What the list of pairings needs. */
export interface PairingsDeps {
  readonly targets: Pick<PairingTarget, "revoke">;
  readonly clock: Clock;
  readonly log: Log;
  readonly touch: (entity: "pairing", id: string) => void;
  /** Writes down claims and ends. */
  readonly events: PairingEvents;
}

interface Entry {
  readonly pairing: ListedPairing;
  timer: Timer;
}

/** The pairings, from their making to half an hour after their end; a restart ends them all. */
export class Pairings implements PairedHosts {
  readonly #deps: PairingsDeps;
  readonly #entries = new Map<PairingId, Entry>();
  readonly #bySecret = new Map<SecretId, Entry>();
  #open = 0;

  constructor(deps: PairingsDeps) {
    this.#deps = deps;
  }

  /** How many are open. */
  get openCount(): number {
    return this.#open;
  }

  /** All pairings that are open or ended lately, in order of creation. */
  list(): Pairing[] {
    return [...this.all()];
  }

  /** The same, each when it is asked for: over many turns, while some come and go. */
  *all(): Generator<Pairing> {
    for (const { pairing } of this.#entries.values()) yield pairing.view();
  }

  /** One pairing, or undefined when it is unknown or ended long ago. */
  get(id: PairingId): Pairing | undefined {
    return this.#entries.get(id)?.pairing.view();
  }

  /** The open pairings that a user made. */
  openBy(maker: string): PairingId[] {
    const all = [...this.#entries.values()].map(({ pairing }) => pairing);
    return all.filter((one) => one.isActive && one.maker === maker).map(({ id }) => id);
  }

  /** How many pairings of a credential are open; with `secrets`: would hand out one of them. */
  openOf(credentialId: AuthId, secrets?: ReadonlySet<SecretId>): number {
    const open = [...this.#entries.values()].filter(
      ({ pairing }) => pairing.isActive && pairing.isOf(credentialId, secrets),
    );
    return open.length;
  }

  /**
   * Ends the pairings of a credential that is being deleted, or those that would hand out one of
   * these secrets, and says how many were open.
   */
  revokeOf(credentialId: AuthId, secrets?: ReadonlySet<SecretId>): number {
    const count = this.openOf(credentialId, secrets);
    for (const entry of this.#entries.values()) {
      if (entry.pairing.isOf(credentialId, secrets)) this.#end(entry, "revoked");
    }
    return count;
  }

  /** Lists a pairing that was deposited; it ends at the deadline, by the monotonic clock. */
  add(pairing: ListedPairing, deadlineMs: number): void {
    const { clock, touch } = this.#deps;
    const ttlMs = deadlineMs - clock.monotonic();
    const entry: Entry = { pairing, timer: clock.after(ttlMs, () => this.#expire(entry)) };
    this.#entries.set(pairing.id, entry);
    for (const secretId of pairing.secretIds) this.#bySecret.set(secretId, entry);
    this.#open += 1;
    touch("pairing", pairing.id);
  }

  /** A host got one of its secrets. */
  claimed(id: PairingId, claim: PairingClaim): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const { clock, log, touch, events } = this.#deps;
    const { pairing } = entry;
    if (!pairing.isUnclaimed(claim.secretId)) return;
    pairing.claimed(claim, clock.now());
    const { clientId: client, address } = claim;
    log.info("pairing claimed", { pairing: id, client, address });
    events.claimed(pairing.view(), claim);
    touch("pairing", id);
    if (pairing.isActive) return;
    this.#open -= 1;
    this.#forgetLater(entry);
  }

  /** Something has happened with one; unknown ids are nothing. */
  step(id: PairingId, step: NewStep): void {
    this.#step(this.#entries.get(id), step);
  }

  onHost(secretId: SecretId, { kind, clientId, hostname, address, reason, text }: HostStep): void {
    const entry = this.#bySecret.get(secretId);
    const id = clientIdSchema.safeParse(clientId);
    // RPort's pairing service tells nobody who came, and one of ours perhaps later.
    if (kind === "connected" && id.success && entry?.pairing.isUnclaimed(secretId) === true) {
      this.claimed(entry.pairing.id, { secretId, clientId: id.data, hostname, address });
    }
    const host = { client_id: clientId, hostname, address };
    this.#step(entry, {
      kind,
      ...host,
      reason: reason ?? "",
      text: text ?? "",
    });
  }

  /** Ends a pairing; answers with the secrets that nobody got, or undefined when it is unknown. */
  end(id: PairingId): readonly SecretId[] | undefined {
    const entry = this.#entries.get(id);
    return entry && this.#end(entry, "revoked");
  }

  /** Takes a deposit back. Its secrets are revoked, or die by themselves, also where this fails. */
  withdraw(id: PairingId): void {
    const { targets, log } = this.#deps;
    targets.revoke(id).catch((error: unknown) => {
      log.warn("pairing: the target could not be told", { pairing: id, reason: errorText(error) });
    });
  }

  /** Forgets everything. */
  close(): void {
    for (const { timer } of this.#entries.values()) timer.cancel();
    this.#entries.clear();
    this.#bySecret.clear();
  }

  #step(entry: Entry | undefined, step: NewStep): void {
    if (entry === undefined) return;
    entry.pairing.step(step, this.#deps.clock.now());
    this.#deps.touch("pairing", entry.pairing.id);
  }

  #expire(entry: Entry): void {
    this.#deps.events.ended(entry.pairing.view(), "expired");
    this.#end(entry, "expired");
  }

  #end(entry: Entry, state: "expired" | "revoked"): readonly SecretId[] {
    const { pairing } = entry;
    const wasOpen = pairing.isActive;
    const unclaimed = pairing.end(state, this.#deps.clock.now());
    this.withdraw(pairing.id);
    if (!wasOpen) return unclaimed;
    this.#open -= 1;
    this.#forgetLater(entry);
    this.#deps.touch("pairing", pairing.id);
    return unclaimed;
  }

  #forgetLater(entry: Entry): void {
    entry.timer.cancel();
    entry.timer = this.#deps.clock.after(LISTED_AFTER_END_MS, () => {
      this.#entries.delete(entry.pairing.id);
      for (const secretId of entry.pairing.secretIds) this.#bySecret.delete(secretId);
      this.#deps.touch("pairing", entry.pairing.id);
    });
  }
}
