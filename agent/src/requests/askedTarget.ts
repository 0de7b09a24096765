import { parseHostPort } from "@rport/protocol/remote";
import { RequestRefused } from "@rport/protocol/wire/wireError";
import { checkTarget, type TargetCheck, type TargetDeps } from "../tunnels/target.ts";
import { orStopped } from "./effort.ts";
import type { Effort } from "./serverRequest.ts";

/** A target has at most a name of 255 characters, a port, and what JSON needs around it. */
export const TARGET_REQUEST_BYTES = 4 << 10;
/** Longest answer about a target while others wait for theirs: servers wait 20 s for a ping. */
export const TARGET_REQUEST_MS = 10_000;

/** What the rules say about a target that the server named. Throws `RequestRefused`. */
export async function checkAsked(
  text: string,
  deps: TargetDeps,
  effort: Effort,
): Promise<TargetCheck> {
  const target = parseHostPort(text);
  if (target === undefined) throw new RequestRefused("the target is not host:port");
  return await orStopped(checkTarget(target, deps, effort.signal), effort);
}
