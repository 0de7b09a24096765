import type { ServerStatus } from "@rport/protocol/model";
import type { Handlers } from "../endpoints.ts";

/** What the handler of the status needs. */
export interface StatusHandlerDeps {
  readonly status: () => ServerStatus;
  /** Whether somebody has set where agents reach this server. */
  readonly hasServerUrls: boolean;
  /** Where hosts find the installer, for somebody who reached this server under `origin`. */
  readonly installOrigin: (origin: string) => string;
}

/**
 * Serves `/status`, with the addresses that were set or the one that the caller has come by, and the
 * little of it that strangers are told.
 */
export function statusHandlers(
  deps: StatusHandlerDeps,
): Pick<Handlers, "getStatus" | "getServerFace"> {
  const { status, hasServerUrls, installOrigin } = deps;
  return {
    getStatus(_input, { origin }) {
      if (hasServerUrls) return { data: status() };
      const url = installOrigin(origin);
      return { data: { ...status(), connect_url: [url], pairing_url: url } };
    },
    getServerFace() {
      const { fingerprint_sha256: fingerprint } = status();
      const signIn = { password: true, invitation: true };
      return { data: { fingerprint_sha256: fingerprint, sign_in: signIn } };
    },
  };
}
