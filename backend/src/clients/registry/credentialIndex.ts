import type { AuthId, ClientId } from "@rport/protocol/ids";
import type { LiveSession } from "../liveSession.ts";

/** What belongs to one credential. */
interface Slot {
  readonly records: Set<ClientId>;
  readonly sessions: Set<LiveSession>;
  connected: number;
}

/** Which records, live sessions and how many connected clients each credential has; no scans. */
export class CredentialIndex {
  readonly #slots = new Map<AuthId, Slot>();

  sessionsOf(id: AuthId): readonly LiveSession[] {
    return [...(this.#slots.get(id)?.sessions ?? [])];
  }

  recordsOf(id: AuthId): readonly ClientId[] {
    return [...(this.#slots.get(id)?.records ?? [])];
  }

  countOf(id: AuthId): { readonly total: number; readonly connected: number } {
    const slot = this.#slots.get(id);
    return { total: slot?.records.size ?? 0, connected: slot?.connected ?? 0 };
  }

  addSession(session: LiveSession): void {
    this.#slot(session.credentialId).sessions.add(session);
  }

  removeSession(session: LiveSession): void {
    this.#change(session.credentialId, (slot) => slot.sessions.delete(session));
  }

  addRecord(id: AuthId, client: ClientId): void {
    this.#slot(id).records.add(client);
  }

  removeRecord(id: AuthId, client: ClientId): void {
    this.#change(id, (slot) => slot.records.delete(client));
  }

  /** One more (1) or less (-1) of the credential's clients is connected. */
  shiftConnected(id: AuthId, by: 1 | -1): void {
    this.#slot(id);
    this.#change(id, (slot) => {
      slot.connected += by;
    });
  }

  #slot(id: AuthId): Slot {
    const existing = this.#slots.get(id);
    if (existing !== undefined) return existing;
    const slot: Slot = { records: new Set(), sessions: new Set(), connected: 0 };
    this.#slots.set(id, slot);
    return slot;
  }

  #change(id: AuthId, change: (slot: Slot) => void): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    change(slot);
    if (slot.records.size === 0 && slot.sessions.size === 0) this.#slots.delete(id);
  }
}
