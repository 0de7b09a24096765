import type { Clock } from "../../../backend/src/platform/clock.ts";
import { FailedLogins } from "../../../backend/src/users/failedLogins.ts";
import { UserGate, type UserGateDeps } from "../../../backend/src/users/gate.ts";

/** A gate that knows the local token only. */
export function testGate(clock: Clock, given: Pick<UserGateDeps, "tokens" | "proofs">): UserGate {
  return new UserGate({
    ...given,
    failures: new FailedLogins(clock),
    personalTokens: { check: () => undefined },
    sessions: { check: async () => undefined },
  });
}
