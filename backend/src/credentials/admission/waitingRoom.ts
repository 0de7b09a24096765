import { RportError } from "@rport/protocol/errors";
import type { AuthId, ClientId, SecretId } from "@rport/protocol/ids";
import type { Join } from "@rport/protocol/join";
import { type Clock, type Timer, toTime } from "../../platform/clock.ts";
import { networkOf } from "../../platform/network.ts";
import { bytes } from "../../platform/random.ts";
import { RecentMap } from "../../platform/recentMap.ts";
import { type InCrowd, whoMakesRoom } from "./waitingCrowd.ts";

/** A client that introduces itself, and may have to wait until it is let in; that is its join. */
export interface Newcomer {
  readonly clientId: ClientId;
  readonly name: string;
  readonly hostname: string;
  readonly osFullName: string;
  readonly address: string;
  /** `SHA256:` fingerprint of the key it says its host has; empty: it names none. */
  readonly hostKey: string;
  /** Whether its agent waits as long as it is told to. RPort's own gives up after 30 s. */
  readonly isPatient: boolean;
  /** Resolves when its connection has ended. */
  readonly closed: Promise<unknown>;
  /** Called when a person is asked about it, and the connection held meanwhile. */
  onHeld(): void;
}

/** What a newcomer showed to sign in. */
export interface ShownSecret {
  readonly credentialId: AuthId;
  readonly secretId: SecretId;
}

/** What a person is asked about a client. */
export type Question = Pick<Join, "reason" | "known_host_key" | "known_credential_id">;

/**
 * How waiting ended: `late`, nobody has decided in time; `gone`, the connection has ended or there
 * is nothing to decide any more.
 */
export type WaitOutcome = "approved" | "denied" | "late" | "gone";

/** What the waiting room needs. */
export interface WaitingRoomDeps {
  readonly clock: Clock;
  readonly touch: (entity: "join", id: string) => void;
}

/** A person gets this long, from the client's last try on. */
export const WAIT_MS = 10 * 60_000;
/** RPort's client takes 30 s without an answer for a failure that it handles badly. */
export const IMPATIENT_MS = 20_000;
/** A decision holds this long for the client's next tries; then it is known, or asks again. */
const DECIDED_MS = 3_600_000;
/** Clients that wait with one credential, and in all: each may hold connections. */
const WAITING_PER_CREDENTIAL = 100;
const WAITING_MAX = 500;
/** Connections of one waiting client: the one before may not be known to be lost yet. */
const CONNECTIONS_MAX = 2;
const DECISIONS_MAX = 10_000;

type Settle = (outcome: WaitOutcome) => void;

interface Entry extends InCrowd {
  readonly key: string;
  readonly identity: string;
  value: Join;
  expiry: Timer;
  readonly waiting: Set<Settle>;
}

interface Decision {
  readonly identity: string;
  readonly untilMs: number;
}

interface Approval extends Decision {
  readonly credentialId: AuthId;
}

/**
 * Clients that wait for a person, and what was decided about them. In memory: whoever still
 * waits when the server starts again comes again, and is asked about again.
 */
export class WaitingRoom {
  readonly #deps: WaitingRoomDeps;
  readonly #entries = new Map<string, Entry>();
  readonly #byKey = new Map<string, Entry>();
  readonly #perCredential = new Map<AuthId, number>();
  /** One of each client at most: who was approved last is the client. */
  readonly #approved = new RecentMap<ClientId, Approval>(DECISIONS_MAX);
  readonly #denied = new RecentMap<string, Decision>(DECISIONS_MAX);

  constructor(deps: WaitingRoomDeps) {
    this.#deps = deps;
  }

  /** Who waits, the longest waiting first. */
  list(): Join[] {
    return [...this.#entries.values()].map(({ value }) => value);
  }

  /** One that waits. */
  get(id: string): Join | undefined {
    return this.#entries.get(id)?.value;
  }

  /** What a person has decided about the client lately. */
  decisionOn(credentialId: AuthId, newcomer: Named): "approved" | "denied" | undefined {
    const identity = identityOf(newcomer);
    const approval = this.#approved.get(newcomer.clientId);
    const isMeant = approval?.identity === identity && approval.credentialId === credentialId;
    if (approval !== undefined && isMeant && this.#holds(approval)) return "approved";
    const denial = this.#denied.get(joinKey(credentialId, newcomer));
    return denial !== undefined && this.#holds(denial) ? "denied" : undefined;
  }

  /**
   * Whether the client waits already, or may begin to: when all places are taken, one of a crowd
   * makes room, see `whoMakesRoom`.
   */
  hasRoom(secret: ShownSecret, newcomer: Newcomer): boolean {
    if (this.#byKey.has(joinKey(secret.credentialId, newcomer))) return true;
    const rivals = this.#rivals(secret.credentialId);
    return rivals === undefined || whoMakesRoom(rivals, placeOf(secret, newcomer)) !== undefined;
  }

  /** Asks a person, and waits. The client stays listed when only its connection has ended. */
  hold(secret: ShownSecret, newcomer: Newcomer, question: Question): Promise<WaitOutcome> {
    const key = joinKey(secret.credentialId, newcomer);
    const entry = this.#byKey.get(key) ?? this.#create(secret, newcomer, question);
    this.#extend(entry);
    if (entry.waiting.size >= CONNECTIONS_MAX) {
      const [oldest] = entry.waiting;
      oldest?.("late");
    }
    const { promise, resolve } = Promise.withResolvers<WaitOutcome>();
    const patience = newcomer.isPatient
      ? undefined
      : this.#deps.clock.after(IMPATIENT_MS, () => settle("late"));
    const settle: Settle = (outcome) => {
      patience?.cancel();
      entry.waiting.delete(settle);
      resolve(outcome);
    };
    entry.waiting.add(settle);
    void newcomer.closed.then(() => settle("gone"));
    newcomer.onHeld();
    return promise;
  }

  /** Lets the client in. Answers with what was listed; fails with `NOT_FOUND`. */
  approve(id: string): Join {
    const entry = this.#need(id);
    const { credential_id: credentialId, client_id: clientId } = entry.value;
    const { identity, untilMs } = this.#decision(entry);
    this.#approved.set(clientId, { credentialId, identity, untilMs });
    this.#denied.delete(entry.key);
    this.#end(entry, "approved");
    return entry.value;
  }

  /** Turns the client away. Answers with what was listed; fails with `NOT_FOUND`. */
  deny(id: string): Join {
    const entry = this.#need(id);
    this.#denied.set(entry.key, this.#decision(entry));
    this.#end(entry, "denied");
    return entry.value;
  }

  /**
   * The client is in: it needs no approval any more, and whoever else was approved or waits as this
   * client is another question from now on.
   */
  known(clientId: ClientId): void {
    this.#approved.delete(clientId);
    this.drop((join) => join.client_id === clientId);
  }

  /** Ends those for which there is nothing to decide any more. */
  drop(isPointless: (join: Join, secretId: SecretId) => boolean): void {
    for (const entry of [...this.#entries.values()]) {
      if (isPointless(entry.value, entry.secretId)) this.#end(entry, "gone");
    }
  }

  #need(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry !== undefined) return entry;
    throw new RportError("NOT_FOUND", "The client does not wait for approval any more.");
  }

  /** Those one of whom has to go before another one of the credential can wait; undefined: nobody. */
  #rivals(credentialId: AuthId): readonly Entry[] | undefined {
    const own = this.#perCredential.get(credentialId) ?? 0;
    const isCrowded = own >= WAITING_PER_CREDENTIAL;
    if (!isCrowded && this.#entries.size < WAITING_MAX) return undefined;
    const all = [...this.#entries.values()];
    return isCrowded ? all.filter(({ value }) => value.credential_id === credentialId) : all;
  }

  #makeRoom(secret: ShownSecret, newcomer: Newcomer): void {
    const rivals = this.#rivals(secret.credentialId) ?? [];
    const last = whoMakesRoom(rivals, placeOf(secret, newcomer));
    if (last !== undefined) this.#end(last, "gone");
  }

  #create(secret: ShownSecret, newcomer: Newcomer, question: Question): Entry {
    this.#makeRoom(secret, newcomer);
    const { clock } = this.#deps;
    const { credentialId } = secret;
    const key = joinKey(credentialId, newcomer);
    const at = toTime(clock.now());
    const entry: Entry = {
      key,
      secretId: secret.secretId,
      network: networkOf(newcomer.address),
      identity: identityOf(newcomer),
      waiting: new Set(),
      value: {
        id: bytes(12).toString("base64url"),
        credential_id: credentialId,
        client_id: newcomer.clientId,
        name: newcomer.name,
        hostname: newcomer.hostname,
        os_full_name: newcomer.osFullName,
        address: newcomer.address,
        reason: question.reason,
        host_key: newcomer.hostKey === "" ? null : newcomer.hostKey,
        known_host_key: question.known_host_key,
        known_credential_id: question.known_credential_id,
        at,
        expires_at: at,
      },
      expiry: { cancel: () => undefined },
    };
    this.#entries.set(entry.value.id, entry);
    this.#byKey.set(key, entry);
    this.#perCredential.set(credentialId, (this.#perCredential.get(credentialId) ?? 0) + 1);
    return entry;
  }

  /** Only when it ends changes: what a person looks at stays what it was. */
  #extend(entry: Entry): void {
    const { clock, touch } = this.#deps;
    entry.expiry.cancel();
    entry.expiry = clock.after(WAIT_MS, () => this.#end(entry, "late"));
    entry.value = { ...entry.value, expires_at: toTime(clock.now() + WAIT_MS) };
    touch("join", entry.value.id);
  }

  #end(entry: Entry, outcome: WaitOutcome): void {
    const { id, credential_id } = entry.value;
    entry.expiry.cancel();
    this.#entries.delete(id);
    this.#byKey.delete(entry.key);
    const left = (this.#perCredential.get(credential_id) ?? 1) - 1;
    if (left > 0) this.#perCredential.set(credential_id, left);
    else this.#perCredential.delete(credential_id);
    for (const settle of [...entry.waiting]) settle(outcome);
    this.#deps.touch("join", id);
  }

  #decision({ identity }: Entry): Decision {
    return { identity, untilMs: this.#deps.clock.monotonic() + DECIDED_MS };
  }

  #holds({ untilMs }: Decision): boolean {
    return this.#deps.clock.monotonic() < untilMs;
  }
}

/** As much of a newcomer as decisions are about. */
type Named = Pick<Newcomer, "clientId" | "hostKey" | "address">;

/** What a client cannot change at will: its host's key, or else where it comes from. */
function identityOf({ hostKey, address }: Named): string {
  return hostKey === "" ? networkOf(address) : hostKey;
}

function placeOf({ secretId }: ShownSecret, { address }: Named): InCrowd {
  return { secretId, network: networkOf(address) };
}

function joinKey(credentialId: AuthId, newcomer: Named): string {
  return JSON.stringify([credentialId, newcomer.clientId, identityOf(newcomer)]);
}
