import type { AuthId } from "@rport/protocol/ids";
import { beginningOf } from "@rport/protocol/ownText";
import type { Refusal, RefusalReason } from "@rport/protocol/refusal";
import { type Clock, type Timer, toTime } from "../platform/clock.ts";
import { networkOf } from "../platform/network.ts";
import { bytes } from "../platform/random.ts";
import { RecentMap } from "../platform/recentMap.ts";

/** An agent that was not let in, and what it claimed to be. Undefined: it did not say. */
export interface RefusedAgent {
  readonly why: RefusalReason;
  readonly address: string;
  readonly authId?: string | undefined;
  readonly clientId?: string | undefined;
  readonly hostname?: string | undefined;
  /** What it was told. */
  readonly text?: string | undefined;
}

/** What the refusals need. */
export interface RefusalsDeps {
  readonly clock: Clock;
  /** Tells watchers; called a few times a second at most, for each refusal that changed. */
  readonly touch: (entity: "refusal", id: string) => void;
}

/** Kinds kept of each sort, so that a flood of strangers does not push out the revoked ones. */
const KINDS_MAX = 1_000;
/** Kinds of one network that are told apart; the others of a reason share one. */
const NETWORK_KINDS_MAX = 64;
/** A kind that was not seen for this long is forgotten. */
const KEPT_MS = 24 * 3_600_000;
/** A flood reaches watchers this often. */
const TELL_MS = 500;
/**
 * Refusals in which the auth id may be anything: people paste passwords in the wrong place. Only
 * its beginning is kept.
 */
const UNVERIFIED: ReadonlySet<RefusalReason> = new Set([
  "unknown-credential",
  "penalty",
  "busy",
  "protocol",
]);
const BEGINNING = 4;
const LINE_MAX = 255;
const CLAIM_MAX = 128;
const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]+/gu;

interface Kind {
  readonly network: string;
  value: Refusal;
  lastAtMs: number;
}

/**
 * Who was not let in, and why: kinds of refusals, counted. In memory; a revoked credential that is
 * still tried stays visible for a day, also when nothing else of it is left.
 */
export class Refusals {
  readonly #deps: RefusalsDeps;
  readonly #revoked = new RecentMap<string, Kind>(KINDS_MAX);
  readonly #others = new RecentMap<string, Kind>(KINDS_MAX);
  readonly #keyOf = new Map<string, string>();
  readonly #kindsOf = new Map<string, number>();
  readonly #totals = new Map<RefusalReason, number>();
  readonly #dirty = new Set<string>();
  /** Those that somebody was told of: the end of another one is nothing to watchers. */
  readonly #told = new Set<string>();
  #teller: Timer | undefined;
  #sweeper: Timer | undefined;

  constructor(deps: RefusalsDeps) {
    this.#deps = deps;
  }

  /** How many there were of each reason since the start, also of those forgotten. */
  get totals(): ReadonlyMap<RefusalReason, number> {
    return this.#totals;
  }

  /** Counts a refusal. */
  note(refused: RefusedAgent): void {
    this.#totals.set(refused.why, (this.#totals.get(refused.why) ?? 0) + 1);
    const network = networkOf(refused.address);
    const exact = claimsOf(refused);
    const known = this.#find(keyOf(network, exact));
    const isCrowded = (this.#kindsOf.get(network) ?? 0) >= NETWORK_KINDS_MAX;
    const claims = known === undefined && isCrowded ? coarse(exact) : exact;
    const key = keyOf(network, claims);
    const kind = known ?? this.#find(key) ?? this.#create(network, claims);
    this.#count(key, kind, refused);
  }

  /** All kinds, the newest first. */
  list(): Refusal[] {
    const kinds = [...this.#kinds()].map(([, kind]) => kind);
    kinds.sort((one, other) => other.lastAtMs - one.lastAtMs);
    for (const { value } of kinds) this.#told.add(value.id);
    return kinds.map(({ value }) => value);
  }

  /** One kind by its id. */
  get(id: string): Refusal | undefined {
    const key = this.#keyOf.get(id);
    return key === undefined ? undefined : this.#find(key)?.value;
  }

  /** The kinds that claimed this auth id. */
  ofCredential(id: AuthId): Refusal[] {
    return this.list().filter(({ auth_id }) => auth_id === id);
  }

  /** Forgets everything; answers how many kinds there were. */
  clear(): number {
    const all = [...this.#kinds()];
    for (const [key, kind] of all) this.#forget(key, kind);
    return all.length;
  }

  /** Stops its timers. */
  close(): void {
    this.#teller?.cancel();
    this.#sweeper?.cancel();
    [this.#teller, this.#sweeper] = [undefined, undefined];
  }

  #create(network: string, claims: Claims): Kind {
    const at = toTime(this.#deps.clock.now());
    const id = bytes(12).toString("base64url");
    const none = { text: null, count: 0, first_at: at, last_at: at };
    const value = { id, ...claims, address: network, ...none };
    this.#kindsOf.set(network, (this.#kindsOf.get(network) ?? 0) + 1);
    return { network, value, lastAtMs: 0 };
  }

  #count(key: string, kind: Kind, { address, text }: RefusedAgent): void {
    const { clock } = this.#deps;
    const { value } = kind;
    const last_at = toTime(clock.now());
    const told = { address: line(address), text: claim(text, LINE_MAX) };
    kind.value = { ...value, ...told, count: value.count + 1, last_at };
    kind.lastAtMs = clock.monotonic();
    this.#keyOf.set(value.id, key);
    const evicted = this.#tableOf(key).set(key, kind);
    if (evicted !== undefined) this.#forget(...evicted);
    this.#mark(value.id);
    this.#sweeper ??= clock.after(KEPT_MS, () => this.#sweep());
  }

  #forget(key: string, { network, value: { id } }: Kind): void {
    this.#tableOf(key).delete(key);
    this.#keyOf.delete(id);
    const left = (this.#kindsOf.get(network) ?? 1) - 1;
    if (left > 0) this.#kindsOf.set(network, left);
    else this.#kindsOf.delete(network);
    if (this.#told.has(id)) this.#mark(id);
    else this.#dirty.delete(id);
  }

  #sweep(): void {
    const { clock } = this.#deps;
    this.#sweeper = undefined;
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const [key, kind] of [...this.#kinds()]) {
      if (clock.monotonic() - kind.lastAtMs >= KEPT_MS) this.#forget(key, kind);
      else oldestMs = Math.min(oldestMs, kind.lastAtMs);
    }
    if (oldestMs === Number.POSITIVE_INFINITY) return;
    const restMs = oldestMs + KEPT_MS - clock.monotonic();
    this.#sweeper = clock.after(restMs, () => this.#sweep());
  }

  #mark(id: string): void {
    this.#dirty.add(id);
    this.#teller ??= this.#deps.clock.after(TELL_MS, () => this.#tell());
  }

  #tell(): void {
    this.#teller = undefined;
    for (const id of this.#dirty) {
      if (this.#keyOf.has(id)) this.#told.add(id);
      else this.#told.delete(id);
      this.#deps.touch("refusal", id);
    }
    this.#dirty.clear();
  }

  #find(key: string): Kind | undefined {
    return this.#tableOf(key).get(key);
  }

  #tableOf(key: string): RecentMap<string, Kind> {
    return key.startsWith("revoked-") ? this.#revoked : this.#others;
  }

  *#kinds(): Iterable<[string, Kind]> {
    yield* this.#revoked;
    yield* this.#others;
  }
}

type Claims = Pick<Refusal, "reason" | "auth_id" | "client_id" | "hostname">;

/** What the crowd of a network shares. Whose revocation is not accepted stays known, though. */
function coarse({ reason, auth_id }: Claims): Claims {
  const isRevoked = reason.startsWith("revoked-");
  return { reason, auth_id: isRevoked ? auth_id : null, client_id: null, hostname: null };
}

function claimsOf({ why, authId, clientId, hostname }: RefusedAgent): Claims {
  return {
    reason: why,
    auth_id: UNVERIFIED.has(why) ? beginning(authId) : claim(authId, CLAIM_MAX),
    client_id: claim(clientId, CLAIM_MAX),
    hostname: claim(hostname, LINE_MAX),
  };
}

function keyOf(network: string, claims: Claims): string {
  const { reason, auth_id, client_id, hostname } = claims;
  return `${reason} ${JSON.stringify([network, auth_id, client_id, hostname])}`;
}

function claim(text: string | undefined, max: number): string | null {
  if (text === undefined || text === "") return null;
  return line(beginningOf(text, max));
}

function beginning(text: string | undefined): string | null {
  const [...characters] = claim(text, CLAIM_MAX) ?? "";
  if (characters.length <= BEGINNING) return characters.join("") || null;
  return `${characters.slice(0, BEGINNING).join("")}…`;
}

/** Outside text as one printable line. */
function line(text: string): string {
  return beginningOf(text, LINE_MAX).replace(UNPRINTABLE, " ").toWellFormed();
}
