import type { ClientId, PairingId, SecretId } from "@rport/protocol/ids";
import type { PairingPayload, PairingToken } from "@rport/protocol/pairing";
import type { NewPairing } from "@rport/protocol/pairing/endpoints";
import type { PairingServiceView } from "@rport/protocol/pairing/model";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import type { OtherHost, ToldReport } from "../deposits/deposits.ts";

/** A payload that still lacks the secret of its host. */
export type PairingPayloadDraft = Omit<PairingPayload, "secret">;

/** What is to be deposited, beside the secrets. */
export interface PairingDraft {
  readonly payload: PairingPayloadDraft;
  /** The only host that may claim it; empty: any. */
  readonly hostname: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
  /** The same moment on the monotonic clock. */
  readonly deadlineMs: number;
}

/** A secret in the clear, on its way to one host. */
export interface PlainSecret {
  readonly secretId: SecretId;
  readonly secret: string;
}

/** What was deposited, and how a host gets at it. */
export interface Deposited {
  readonly id: PairingId;
  /**
   * Opens what was deposited; whoever deposited it keeps it out of logs and off the disk. Undefined: the
   * service needs none, because it can read what it keeps.
   */
  readonly token: PairingToken | undefined;
  readonly scriptUrl: string;
  /** 64 hexadecimal digits. */
  readonly scriptSha256: string;
  /** What hosts recognise the server by that come by TLS; absent: they trust its certificate. */
  readonly tlsPin?: TlsPin | undefined;
  /** The lines to paste; each contains the token. */
  readonly commands: NewPairing["commands"];
  /** Milliseconds since the epoch; not later than the draft says. */
  readonly expiresAtMs: number;
}

/** A host that came for its secret. What it says about itself is not proven by anything. */
export interface PairingClaim {
  readonly secretId: SecretId;
  readonly clientId: ClientId;
  readonly hostname: string;
  readonly address: string;
}

/** Is told what becomes of deposits. Ids may be unknown, or those of pairings that have ended. */
export interface PairingWatcher {
  /** Somebody fetched the installer script. */
  onFetched(id: PairingId, address: string): void;
  /** A host got the secret of one use; told once, however often it asks again. */
  onClaimed(id: PairingId, claim: PairingClaim): void;
  /** Somebody got nothing. Undefined: the address had tried too often to be heard. */
  onRefused(id: PairingId | undefined, address: string, why?: OtherHost): void;
  /** How an installation went on, as its installer says. */
  onReported(id: PairingId, report: ToldReport, address: string): void;
  /** Somebody guessed so often that the deposit was destroyed. */
  onGuessed(id: PairingId): void;
}

/** Where hosts get what an agent needs: this server, or a service apart from it. */
export interface PairingTarget {
  /** What people are told of it. */
  readonly view: PairingServiceView;
  /** Tells this watcher, and only this one, what becomes of all deposits from now on. */
  watch(watcher: PairingWatcher): void;
  /**
   * Deposits one use per secret. When it resolves, the lines work. Rejects with an `RportError`
   * when the target does not take it; then nothing was deposited.
   */
  deposit(draft: PairingDraft, secrets: readonly PlainSecret[]): Promise<Deposited>;
  /**
   * Destroys what is left of a deposit, also of one that is unknown. What is in this process is gone
   * when the call returns; the promise rejects when something elsewhere may be left.
   */
  revoke(id: PairingId): Promise<void>;
}
