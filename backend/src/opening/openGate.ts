import type { Auditing } from "../audit/auditing.ts";
import type { Limits } from "../limits/limits.ts";
import type { Clock } from "../platform/clock.ts";
import type { Accounts } from "../users/accounts.ts";
import { FailedLogins } from "../users/failedLogins.ts";
import { UserGate } from "../users/gate.ts";
import { Proofs } from "../users/proofs.ts";
import { UserTokens } from "../users/tokens.ts";

/** Who lets people in, and what opens everything to programs of this machine. */
export interface OpenGate {
  readonly tokens: UserTokens;
  /** Of this machine, until the backend stops. */
  readonly token: string;
  readonly proofs: Proofs;
  readonly gate: UserGate;
}

/** What it is made from. */
export interface OpenGateDeps {
  readonly accounts: Pick<Accounts, "personalTokens" | "sessions">;
  readonly auditing: Pick<Auditing, "signIns">;
  readonly fingerprints: { readonly sha256: string };
  readonly limits: Limits;
}

/** Makes the token of this machine, and the gate that takes it. */
export function openGate(
  { accounts, auditing, fingerprints, limits }: OpenGateDeps,
  clock: Clock,
): OpenGate {
  const tokens = new UserTokens();
  const { token } = tokens.issue("local");
  const { sha256: fingerprint } = fingerprints;
  const proofs = new Proofs({ token, fingerprint, clock, limits });
  const { signIns } = auditing;
  const { personalTokens, sessions } = accounts;
  const failures = new FailedLogins(clock);
  const gate = new UserGate({ tokens, personalTokens, sessions, failures, proofs, signIns });
  return { tokens, token, proofs, gate };
}
