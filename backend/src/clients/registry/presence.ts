import type { AuthId, ClientId } from "@rport/protocol/ids";

/** As much of a session as presence looks at. */
export interface PresentSession {
  /** Undefined until its agent said who it is. */
  readonly clientId: ClientId | undefined;
  readonly credentialId: AuthId;
  /** When its agent said something last, since the epoch. */
  readonly lastHeardAtMs: number | undefined;
}

/** Who is connected, and who speaks for a client. It is in memory, and must not survive a restart. */
export interface Presence<S extends PresentSession> {
  /** From now on the session speaks for the id. The one before has to be closed already. */
  claim(id: ClientId, session: S): void;
  /** The session has ended, or was turned away: it speaks for nobody any more. */
  release(session: S): void;
  /** Who speaks for the id now, registered or about to be. */
  locate(id: ClientId): S | undefined;
}

/** What belongs to one credential. */
interface Slot<S> {
  readonly sessions: Set<S>;
  registered: number;
}

/**
 * The presence of one process: every session from its login on, who speaks for a client from its
 * claim on, and who is connected as a client from its registration on. No step takes longer with
 * more sessions.
 */
export class LocalPresence<S extends PresentSession> implements Presence<S> {
  readonly #holders = new Map<ClientId, S>();
  readonly #registered = new Map<ClientId, S>();
  readonly #slots = new Map<AuthId, Slot<S>>();
  /** Of clients that have gone: when they were heard of last. */
  readonly #heardAtMs = new Map<ClientId, number>();

  /** The session signed in: from now on whoever cuts its credential cuts it. */
  enter(session: S): void {
    this.#slot(session.credentialId).sessions.add(session);
  }

  claim(id: ClientId, session: S): void {
    this.#holders.set(id, session);
  }

  locate(id: ClientId): S | undefined {
    return this.#holders.get(id);
  }

  /** The session's client is connected from now on, in the place of whoever was it before. */
  register(id: ClientId, session: S): void {
    this.#leave(id);
    this.#registered.set(id, session);
    this.#slot(session.credentialId).registered += 1;
  }

  /** There is no such client any more; its session, if there is one, goes on. */
  forget(id: ClientId): void {
    this.#leave(id);
    this.#heardAtMs.delete(id);
  }

  release(session: S): void {
    this.#change(session.credentialId, (slot) => slot.sessions.delete(session));
    const id = session.clientId;
    if (id === undefined) return;
    if (this.#holders.get(id) === session) this.#holders.delete(id);
    if (this.#registered.get(id) === session) this.#leave(id);
  }

  /** The session that is connected as the client. */
  connected(id: ClientId): S | undefined {
    return this.#registered.get(id);
  }

  /** When the client was heard of last, in the time of this process. */
  lastHeardAtMs(id: ClientId): number | undefined {
    return this.#registered.get(id)?.lastHeardAtMs ?? this.#heardAtMs.get(id);
  }

  /** The sessions that are connected as clients, each once. */
  connectedSessions(): Iterable<S> {
    return this.#registered.values();
  }

  /** How many clients are connected. */
  get count(): number {
    return this.#registered.size;
  }

  /** How many clients are connected with a credential. */
  countOf(id: AuthId): number {
    return this.#slots.get(id)?.registered ?? 0;
  }

  /** The sessions of a credential, also those that signed in and have not registered yet. */
  ofCredential(id: AuthId): readonly S[] {
    return [...(this.#slots.get(id)?.sessions ?? [])];
  }

  #leave(id: ClientId): void {
    const session = this.#registered.get(id);
    if (session === undefined) return;
    this.#registered.delete(id);
    this.#change(session.credentialId, (slot) => {
      slot.registered -= 1;
    });
    if (session.lastHeardAtMs !== undefined) this.#heardAtMs.set(id, session.lastHeardAtMs);
  }

  #slot(id: AuthId): Slot<S> {
    const existing = this.#slots.get(id);
    if (existing !== undefined) return existing;
    const slot: Slot<S> = { sessions: new Set(), registered: 0 };
    this.#slots.set(id, slot);
    return slot;
  }

  #change(id: AuthId, change: (slot: Slot<S>) => void): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    change(slot);
    if (slot.sessions.size === 0 && slot.registered === 0) this.#slots.delete(id);
  }
}
