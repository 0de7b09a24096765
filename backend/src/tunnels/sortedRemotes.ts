import { type RemoteMessage, remoteSchema } from "@rport/protocol/agent";
import { RportError } from "@rport/protocol/errors";
import type { LeftOut } from "@rport/protocol/leftOut";
import { beginningOf } from "@rport/protocol/ownText";
import type { SortedRemotes } from "../clients/session/sessionDeps.ts";
import { requestOfRemote } from "./describe.ts";

/** Longest description of a tunnel, and of why it is not opened. */
const TEXT_MAX = 300;

/**
 * Sorts what an agent asks for: what no retry could mend is left out, so that its host is not kept
 * away for ever by one line of its configuration. `requirePossible` throws where one is well-formed and
 * can never be opened here. What another time may mend, such as a port that is in use, is still wanted,
 * and refuses the agent when it is opened.
 */
export function sortedRemotes(
  given: readonly unknown[],
  requirePossible: (remote: RemoteMessage) => void,
): SortedRemotes {
  const wanted: RemoteMessage[] = [];
  const leftOut: LeftOut[] = [];
  for (const one of given) {
    try {
      const remote = openable(one);
      requirePossible(remote);
      wanted.push(remote);
    } catch (caught) {
      const { message, detail } = RportError.from(caught);
      const reason = beginningOf([message, detail].join(" ").trim(), TEXT_MAX);
      leftOut.push({ remote: beginningOf(textOf(one), TEXT_MAX), reason });
    }
  }
  return { wanted, leftOut };
}

/** The tunnel, if it is one that this server knows. Throws an `RportError`. */
function openable(given: unknown): RemoteMessage {
  const { data: remote, error } = remoteSchema.safeParse(given);
  if (remote === undefined) {
    const field = error.issues[0]?.path.join(".") ?? "";
    throw new RportError("BAD_REQUEST", `It is not well-formed: ${field || "no tunnel at all"}.`);
  }
  const unknown = Object.entries(given ?? {}).find(([key, value]) => !isKnown(key) && isSet(value));
  if (unknown !== undefined) {
    const name = unknown[0].replaceAll(/[^\w-]/g, "?");
    throw new RportError("BAD_REQUEST", `It comes with ${name}, which this server does not know.`);
  }
  requestOfRemote(remote);
  return remote;
}

function isKnown(key: string): boolean {
  return Object.hasOwn(remoteSchema.shape, key);
}

/** Go's zero values say nothing. */
function isSet(value: unknown): boolean {
  return ![undefined, null, "", 0, false].includes(value as null);
}

/** A tunnel as it stands in `rport.conf`, as far as it can be read. */
function textOf(given: unknown): string {
  const { lhost, lport, rhost, rport, protocol } = Object(given) as Record<string, unknown>;
  const places = [lport ? lhost : "", lport, rhost, rport].filter((part) => isText(part));
  const suffix = isText(protocol) && protocol !== "tcp" ? `/${protocol}` : "";
  return `${places.join(":")}${suffix}`;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
