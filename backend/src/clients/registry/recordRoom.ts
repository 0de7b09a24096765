import type { AuthId, ClientId } from "@rport/protocol/ids";
import type { RoomDenial } from "../../credentials/admission/denials.ts";
import type { RoomLimit } from "../../credentials/ports.ts";
import type { Limits } from "../../limits/limits.ts";
import type { ClientRecord } from "../../store/records/clientRecord.ts";

interface Size {
  readonly authId: AuthId;
  readonly bytes: number;
}

/** What the clients of one credential take together. */
interface Share {
  readonly clients: number;
  readonly bytes: number;
}

const NOTHING: Share = { clients: 0, bytes: 0 };

/**
 * How much is on record, in all and of each credential, and whether there is room for more. Whoever
 * has a secret decides what its hosts say about themselves, and each may say 64 KiB.
 */
export class RecordRoom {
  readonly #limits: Pick<Limits, "max" | "bite">;
  readonly #sizes = new Map<ClientId, Size>();
  readonly #shares = new Map<AuthId, Share>();
  #bytes = 0;

  constructor(limits: Pick<Limits, "max" | "bite" | "watch">) {
    this.#limits = limits;
    limits.watch("clients", () => this.#sizes.size);
    limits.watch("record_bytes", () => this.#bytes);
    limits.watch("clients_per_credential", () => this.#largest("clients"));
    limits.watch("record_bytes_per_credential", () => this.#largest("bytes"));
  }

  /** The record is there, in the place of the one before. */
  put(record: ClientRecord): void {
    this.drop(record.id);
    const { id, client_auth_id: authId } = record;
    const bytes = bytesOf(record);
    this.#sizes.set(id, { authId, bytes });
    this.#add(authId, { clients: 1, bytes });
  }

  /** The record is gone. */
  drop(id: ClientId): void {
    const size = this.#sizes.get(id);
    if (size === undefined) return;
    this.#sizes.delete(id);
    this.#add(size.authId, { clients: -1, bytes: -size.bytes });
  }

  /** What is used up, so that no new client of the credential fits in. */
  whyFull(id: AuthId): RoomLimit | undefined {
    const one = { clients: 1, bytes: 1 };
    return this.#whyBeyond(id, one, one);
  }

  /** What is used up, so that this record does not fit in. One that does not grow always does. */
  whyNotFit(record: ClientRecord): RoomLimit | undefined {
    const { id, client_auth_id: authId } = record;
    const before = this.#sizes.get(id);
    const bytes = bytesOf(record);
    const whole = { clients: 1, bytes };
    const more = before === undefined ? whole : { clients: 0, bytes: bytes - before.bytes };
    return this.#whyBeyond(authId, more, before?.authId === authId ? more : whole);
  }

  /**
   * The record as there is room for it in the place of `before`: where a known client's may not grow,
   * what it says about itself stays as it was. Answers with the limit that is met when there is no
   * room at all.
   */
  fit(record: ClientRecord, before: ClientRecord | undefined): ClientRecord | RoomLimit {
    const full = this.whyNotFit(record);
    if (full === undefined) return record;
    if (before === undefined) return full;
    this.#limits.bite(full, { client: record.id, credential: record.client_auth_id });
    return withoutGrowth(record, before);
  }

  /** A new client of the credential was refused because there is no room. */
  noteRefused(credential: AuthId, why: RoomDenial): void {
    // One that says too much about itself meets a limit that is not used up yet.
    const large = why === "credential-full" ? "record_bytes_per_credential" : "record_bytes";
    this.#limits.bite(this.whyFull(credential) ?? large, { credential });
  }

  /** `more` comes in all, and `moreOfOwn` to what the credential has. */
  #whyBeyond(id: AuthId, more: Share, moreOfOwn: Share): RoomLimit | undefined {
    const own = this.#shares.get(id) ?? NOTHING;
    const wanted = [
      ["clients", more.clients, this.#sizes.size],
      ["clients_per_credential", moreOfOwn.clients, own.clients],
      ["record_bytes", more.bytes, this.#bytes],
      ["record_bytes_per_credential", moreOfOwn.bytes, own.bytes],
    ] as const;
    const full = wanted.find(([limit, grows, used]) => {
      return grows > 0 && used + grows > this.#limits.max(limit);
    });
    return full?.[0];
  }

  #add(id: AuthId, more: Share): void {
    this.#bytes += more.bytes;
    const own = this.#shares.get(id) ?? NOTHING;
    const now = { clients: own.clients + more.clients, bytes: own.bytes + more.bytes };
    if (now.clients > 0) this.#shares.set(id, now);
    else this.#shares.delete(id);
  }

  #largest(of: keyof Share): number {
    return Math.max(0, ...Array.from(this.#shares.values(), (share) => share[of]));
  }
}

/**
 * The record of a client that is known, when there is no room for it to grow: what the client says
 * about itself stays as it was, and how it is connected is what it is now.
 */
export function withoutGrowth(record: ClientRecord, before: ClientRecord): ClientRecord {
  return {
    ...before,
    address: record.address,
    client_auth_id: record.client_auth_id,
    connected_at: record.connected_at,
    disconnected_at: record.disconnected_at,
    features: record.features,
    terminal: record.terminal,
    secret_id: record.secret_id,
    revoked_at: record.revoked_at,
    host_key: record.host_key,
    host_key_change: record.host_key_change,
    connection_end: record.connection_end,
    adopted: record.adopted,
    first_seen_at: record.first_seen_at,
    heard_at: record.heard_at,
  };
}

function bytesOf(record: ClientRecord): number {
  return Buffer.byteLength(JSON.stringify(record));
}
