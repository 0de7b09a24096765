import type { ServerStatus } from "@rport/protocol/serverStatus";
import type { AgentFiles } from "../../downloads/agentFiles.ts";
import type { Actor } from "../../users/actor.ts";
import type { Handlers } from "../endpoints.ts";

/** What the handler of the status needs. */
export interface StatusHandlerDeps {
  /** The status as the actor may see it. */
  readonly status: (actor: Actor) => ServerStatus;
  /** Looked at before the status, which tells for which machines there is an agent. */
  readonly agentFiles: Pick<AgentFiles, "current">;
  /** Whether there is anybody who could sign in with a password. */
  readonly hasUsers: () => boolean;
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
  const { status, agentFiles, hasUsers, hasServerUrls, installOrigin } = deps;
  return {
    async getStatus(_input, { actor, origin }) {
      await agentFiles.current();
      if (hasServerUrls) return { data: status(actor) };
      const url = installOrigin(origin);
      return { data: { ...status(actor), connect_url: [url], pairing_url: url } };
    },
    getServerFace(_input, { actor }) {
      const { fingerprint_sha256: fingerprint } = status(actor);
      const signIn = { password: hasUsers(), invitation: true };
      return { data: { fingerprint_sha256: fingerprint, sign_in: signIn } };
    },
  };
}
