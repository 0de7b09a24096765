import type { ServerStatus } from "@rport/protocol/model";
import type { Handlers } from "../endpoints.ts";

/** Serves `/status`, and the little of it that strangers are told. */
export function statusHandlers(
  status: () => ServerStatus,
): Pick<Handlers, "getStatus" | "getServerFace"> {
  return {
    getStatus: () => ({ data: status() }),
    getServerFace() {
      const { fingerprint_sha256: fingerprint } = status();
      const signIn = { password: true, invitation: true };
      return { data: { fingerprint_sha256: fingerprint, sign_in: signIn } };
    },
  };
}
