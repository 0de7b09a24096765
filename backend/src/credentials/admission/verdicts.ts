import type { AuthId, ClientId, SecretId } from "@rport/protocol/ids";
import type { Client } from "@rport/protocol/model";
import type { RefusalReason } from "@rport/protocol/refusal";

/** The secret a client signed in with, as its record shows it. */
export type ClientSecret = NonNullable<Client["secret"]>;

/** What was wrong with a login. Peers are told none of this; the log is. */
export type LoginFault =
  | "unknown"
  | "wrong"
  /** The secret was revoked; its credential is still there. */
  | "revoked"
  /** The credential was deleted. */
  | "deleted"
  | "expired"
  | "address"
  | "busy";

/** A login that passed. The client behind it is still unknown: see `Credentials.admit`. */
export interface AcceptedLogin {
  readonly kind: "accepted";
  readonly credentialId: AuthId;
  readonly secretId: SecretId;
}

/** A login that did not pass. `busy` is no verdict: the agent may try again. */
export interface RefusedLogin {
  readonly kind: "refused";
  readonly why: LoginFault;
  /** Whose secret it was: it was right, and bound to this client. */
  readonly clientId?: ClientId;
}

/** The outcome of a login. */
export type LoginResult = AcceptedLogin | RefusedLogin;

/** Why a client is not let in: the word under which that is listed, a sentence for the agent. */
export interface Denial {
  readonly why: RefusalReason;
  readonly text: string;
}

/** A client that is not let in. */
export interface RefusedAdmission extends Denial {
  readonly kind: "refused";
}

/** Whether a signed-in agent may be the client it says it is. */
export type Admission =
  | { readonly kind: "admitted"; readonly secret: ClientSecret }
  | RefusedAdmission;
