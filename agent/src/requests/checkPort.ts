import { checkPortSchema, REQUESTS } from "@rport/protocol/agent";
import { RequestRefused } from "@rport/protocol/wire/wireError";
import { troubleOf } from "../platform/descriptors.ts";
import { connectTo, type TargetDeps } from "../tunnels/target.ts";
import { checkAsked, TARGET_REQUEST_BYTES, TARGET_REQUEST_MS } from "./askedTarget.ts";
import { type ServerRequest, serverRequest } from "./serverRequest.ts";

/** Nanoseconds per millisecond. */
const NS_PER_MS = 1_000_000;

/** Opens and closes a TCP connection; a port that does not answer is a success that says so. */
export function checkPort(deps: TargetDeps): ServerRequest {
  return serverRequest({
    name: REQUESTS.checkPort,
    limits: { bytes: TARGET_REQUEST_BYTES, ms: TARGET_REQUEST_MS },
    schema: checkPortSchema,
    async answer({ HostPort, Timeout }, effort) {
      try {
        const check = await checkAsked(HostPort, deps, effort);
        if (check.kind !== "allowed") return closed(check.reason);
        const timeoutMs = Timeout === 0 ? effort.maxMs : Math.ceil(Timeout / NS_PER_MS);
        (await connectTo(check.target, { timeoutMs, signal: effort.signal })).destroy();
        return { Open: true, ErrMsg: "" };
      } catch (error) {
        if (error instanceof RequestRefused) throw error;
        return closed(troubleOf(error));
      }
    },
  });
}

function closed(reason: string) {
  return { Open: false, ErrMsg: reason };
}
