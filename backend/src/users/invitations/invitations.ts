import { RportError } from "@rport/protocol/errors";
import {
  type Invitation,
  type InvitationId,
  invitationIdSchema,
  type NewInvitation,
} from "@rport/protocol/people/invitation";
import type { GroupName } from "@rport/protocol/people/user";
import type { Limits } from "../../limits/limits.ts";
import { type Clock, type Timer, toTime } from "../../platform/clock.ts";
import { secretId } from "../../platform/random.ts";
import type { Actor } from "../actor.ts";
import type { TriesFrom } from "../signIn/guessing.ts";
import { Guesses } from "./guesses.ts";
import { codeDigest, newInvitationCode } from "./invitationCode.ts";

/** How long an invitation works. */
const TTL_MS = 10 * 60_000;
/** Invitations that can be open at once. */
const OPEN_MAX = 100;

/** What the list of invitations needs. */
export interface InvitationsDeps {
  readonly clock: Clock;
  readonly limits: Limits;
}

/** Who is invited, and by whom. */
export interface InvitationFacts {
  readonly groups: readonly GroupName[];
  /** For whom it is, in the words of whoever made it. */
  readonly displayName: string;
  /** Whoever made it; undefined: nobody did, so nobody is shown it. */
  readonly maker: Pick<Actor, "name" | "hasAccount"> | undefined;
  /** Asked again when the code is used: whether whoever made it may still invite. */
  readonly isBacked: () => boolean;
  /** Differs for the first administrator's. */
  readonly ttlMs?: number;
}

interface Entry {
  readonly digest: string;
  readonly view: Invitation;
  readonly facts: InvitationFacts;
  timer: Timer | undefined;
}

/** What an invitation gives to whoever uses it. */
export interface Grant {
  readonly groups: readonly GroupName[];
  readonly displayName: string;
  /** Empty: nobody invited. */
  readonly createdBy: string;
  /** What was promised could not be kept: the code works again until its time is over. */
  giveBack(): void;
}

/** The open invitations, in memory: a restart ends them all. Codes are kept as digests. */
export class Invitations {
  readonly #clock: Clock;
  readonly #guesses: Guesses;
  readonly #entries = new Map<string, Entry>();
  /** Whose code was shown, and may be given back until their time is over. */
  readonly #taken = new Set<Entry>();

  constructor({ clock, limits }: InvitationsDeps) {
    this.#clock = clock;
    this.#guesses = new Guesses({ clock, limits });
  }

  /**
   * Opens an invitation; the answer is the only place where its code is seen. Throws `UNAVAILABLE`
   * when too many are open.
   */
  create(facts: InvitationFacts): NewInvitation {
    if (this.#entries.size >= OPEN_MAX) {
      throw new RportError("UNAVAILABLE", "Too many invitations are open; revoke some or wait.");
    }
    const code = newInvitationCode();
    const view = viewOf(facts, this.#clock.now());
    const entry: Entry = { digest: digestOf(code), view, facts, timer: undefined };
    this.#entries.set(entry.digest, entry);
    entry.timer = this.#clock.after(facts.ttlMs ?? TTL_MS, () => this.#remove(entry));
    return { ...view, code };
  }

  /** All that are open, in order of creation. */
  list(): Invitation[] {
    const listed = [...this.#entries.values()].filter(({ facts }) => isUsable(facts));
    return listed.filter(({ facts }) => facts.maker !== undefined).map(({ view }) => view);
  }

  /**
   * Ends an invitation. Throws `INVITATION_NOT_FOUND` when there is none, or it was used; one that is
   * being used just now does not come back then.
   */
  revoke(id: InvitationId): void {
    const isIt = ({ view }: Entry): boolean => view.id === id;
    const taken = [...this.#taken].find(isIt);
    if (taken !== undefined) this.#remove(taken);
    const entry = [...this.#entries.values()].find(isIt);
    if (entry === undefined || entry.facts.maker === undefined) {
      throw new RportError("INVITATION_NOT_FOUND", "There is no such invitation.");
    }
    this.#remove(entry);
  }

  /** How many of this user's are open. */
  countBy(user: string): number {
    return this.#by(user).length;
  }

  /** Ends those of one user; answers how many there were. */
  revokeBy(user: string): number {
    const entries = this.#by(user);
    for (const entry of entries) this.#remove(entry);
    for (const entry of this.#taken) if (isBy(entry, user)) this.#remove(entry);
    return entries.length;
  }

  /**
   * Throws unless a typed code opens something now: `INVITATION_NOT_FOUND`, which costs the network
   * a guess, and `TOO_MANY_REQUESTS` where too many were wrong.
   */
  check(code: string, from: TriesFrom): void {
    this.#find(code, from);
  }

  /** Uses a code up. Throws as `check` does. */
  take(code: string, from: TriesFrom): Grant {
    const entry = this.#find(code, from);
    const { groups, displayName, maker } = entry.facts;
    this.#entries.delete(entry.digest);
    this.#taken.add(entry);
    const giveBack = () => {
      // It has ended meanwhile, by itself or because somebody revoked it.
      if (this.#taken.delete(entry)) this.#entries.set(entry.digest, entry);
    };
    return { groups, displayName, createdBy: maker?.name ?? "", giveBack };
  }

  /** Forgets everything. */
  close(): void {
    for (const entry of [...this.#entries.values(), ...this.#taken]) this.#remove(entry);
  }

  #find(code: string, from: TriesFrom): Entry {
    this.#guesses.requireRoom(from);
    const entry = this.#entries.get(codeDigest(code) ?? "");
    if (entry !== undefined && isUsable(entry.facts)) return entry;
    this.#guesses.note(from);
    throw new RportError("INVITATION_NOT_FOUND", "This code opens nothing.", {
      detail: "It is mistyped, was used, or its time is over. Ask for a new one.",
    });
  }

  #by(user: string): Entry[] {
    return [...this.#entries.values()].filter((entry) => isBy(entry, user));
  }

  #remove(entry: Entry): void {
    entry.timer?.cancel();
    this.#entries.delete(entry.digest);
    this.#taken.delete(entry);
  }
}

function isBy({ facts: { maker } }: Entry, user: string): boolean {
  return maker?.hasAccount === true && maker.name === user;
}

function isUsable({ isBacked }: InvitationFacts): boolean {
  return isBacked();
}

function viewOf(facts: InvitationFacts, nowMs: number): Invitation {
  const { groups, displayName, maker, ttlMs = TTL_MS } = facts;
  return {
    id: invitationIdSchema.parse(secretId()),
    groups: [...groups],
    display_name: displayName,
    created_at: toTime(nowMs),
    created_by: maker?.name ?? "",
    expires_at: toTime(nowMs + ttlMs),
  };
}

/** Only for codes that were just made. */
function digestOf(code: string): string {
  const digest = codeDigest(code);
  if (digest === undefined) throw new Error("a code that nobody could type");
  return digest;
}
