import { checkTunnelAllowedSchema, REQUESTS } from "@rport/protocol/agent";
import { RequestRefused } from "@rport/protocol/wire/wireError";
import { textOf } from "../platform/errorText.ts";
import type { TargetCheck, TargetDeps } from "../tunnels/target.ts";
import { checkAsked, TARGET_REQUEST_BYTES, TARGET_REQUEST_MS } from "./askedTarget.ts";
import { type ServerRequest, serverRequest } from "./serverRequest.ts";

/** Whether this agent's own rules allow a target; a name is looked up for that. */
export function checkTunnelAllowed(deps: TargetDeps): ServerRequest {
  return serverRequest({
    name: REQUESTS.checkTunnelAllowed,
    limits: { bytes: TARGET_REQUEST_BYTES, ms: TARGET_REQUEST_MS },
    schema: checkTunnelAllowedSchema,
    async answer({ Remote }, effort) {
      const check = await checkAsked(Remote, deps, effort).catch(asUnknown);
      // Without rules a name that means nothing today may be reached once it means something.
      if (check.kind === "unknown" && deps.rules.length === 0) return { IsAllowed: true };
      if (check.kind === "unknown") throw new RequestRefused(check.reason);
      return { IsAllowed: check.kind === "allowed" };
    },
  });
}

function asUnknown(error: unknown): TargetCheck {
  if (error instanceof RequestRefused) throw error;
  return { kind: "unknown", reason: textOf(error) };
}
