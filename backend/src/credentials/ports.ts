import type { AuthId, ClientId, SecretId } from "@rport/protocol/ids";
import type { LimitName } from "../limits/limitTable.ts";

/** A secret on its way to an agent; the value exists nowhere else. */
export interface OfferedSecret {
  readonly secretId: SecretId;
  readonly secret: string;
}

/** One live agent connection, as far as credentials are concerned. */
export interface SessionHandle {
  /** Undefined until the agent said who it is. */
  readonly clientId: ClientId | undefined;
  readonly credentialId: AuthId;
  /** The secret it signed in with, or moved to since. */
  readonly secretId: SecretId;
  /** Extensions both sides listed. */
  readonly features: readonly string[];
  /** True: the agent has stored the secret durably and will use it at its next login. */
  offerSecret(next: OfferedSecret): Promise<boolean>;
  /** From now on the session, and the client's record, belong to this secret. */
  adoptSecret(secretId: SecretId): void;
  /**
   * Ends the connection before it returns, and does nothing else; `reason` is a sentence for the log.
   */
  cut(reason: string): void;
  /**
   * The same for one whose right to be there was taken away: before it is cut, its host is told to end
   * the terminals that people have there.
   */
  dismiss(reason: string): void;
  /** Resolves when the connection has ended and its client, with its tunnels, is shown as away. */
  readonly gone: Promise<void>;
}

/** A client's record, as far as credentials are concerned. */
export interface ClientRef {
  readonly id: ClientId;
  /** The credential it came in with last. */
  readonly credentialId: AuthId;
  readonly name: string;
  readonly connected: boolean;
  /** How many tunnels it has. */
  readonly tunnels: number;
  /** The secret it stands on; undefined: none any more. */
  readonly secretId: SecretId | undefined;
  /** Extensions both sides listed when it was connected last. */
  readonly features: readonly string[];
  /** No secret lets it in, until somebody allows it again. */
  readonly isRevoked: boolean;
  /** `SHA256:` fingerprint of the key that its host is known by; undefined: none. */
  readonly hostKey: string | undefined;
  /** It was let in without that key, which a person has approved. */
  readonly mayLackKey: boolean;
}

/** A limit for what is on record. */
export type RoomLimit = Extract<
  LimitName,
  "clients" | "clients_per_credential" | "record_bytes" | "record_bytes_per_credential"
>;

/** Who is connected, as far as credentials are concerned. */
export interface SessionPort {
  /** Live sessions of a credential, also those that signed in and have not registered yet. */
  ofCredential(id: AuthId): readonly SessionHandle[];
  /** The connection that speaks for a client, also when it is not admitted yet. */
  locate(id: ClientId): SessionHandle | undefined;
}

/** What credentials ask of whoever keeps the records of clients. */
export interface ClientPort {
  /** What is used up, so that there is no room on record for a new client of this credential. */
  whyNoRoom(id: AuthId): RoomLimit | undefined;
  /** How many records came in with the credential last. */
  countOf(id: AuthId): { readonly total: number; readonly connected: number };
  /** The records that came in with the credential last. */
  clientsOf(id: AuthId): readonly ClientRef[];
  /** The ids of those records: for whoever looks at them one by one. */
  idsOf(id: AuthId): Iterable<ClientId>;
  /** The record of one client. */
  clientOf(id: ClientId): ClientRef | undefined;
  /**
   * Marks a client as revoked, and calls `cut` as soon as nobody comes in as it any more; resolves
   * when the mark is durable and `cut` is done.
   */
  revoke(id: ClientId, cut: () => Promise<void>): Promise<void>;
  /** Takes the mark away, once that is durable. */
  allow(id: ClientId): Promise<void>;
  /** Removes these records, and what belongs to them. */
  purge(id: AuthId): Promise<void>;
}

/** What credentials ask of whoever keeps the pairings. */
export interface PairingPort {
  /**
   * How many pairings of the credential could still be claimed; with `secrets`: of those that would
   * hand out one of them.
   */
  openOf(id: AuthId, secrets?: ReadonlySet<SecretId>): number;
  /** Revokes them at once and answers how many there were. */
  revokeOf(id: AuthId, secrets?: ReadonlySet<SecretId>): number;
}

/** Marks an entity as changed, so that watchers get its new value. */
export type CredentialTouch = (entity: "client" | "credential" | "join", id: string) => void;
