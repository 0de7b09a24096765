import { type ServerKey, sha256Fingerprint } from "@rport/protocol/wire/serverKey";
import type { Limits } from "../../limits/limits.ts";
import { Chores } from "../../platform/chores.ts";
import { loggedFault } from "../../platform/faults.ts";
import type { SessionDeps } from "../session/sessionDeps.ts";
import { SilentSessions } from "../session/silentSessions.ts";

/** What sessions need and the door is given as it is. */
export interface SharedDeps
  extends Pick<
    SessionDeps,
    | "registry"
    | "presence"
    | "credentials"
    | "tunnels"
    | "terminals"
    | "agentEvents"
    | "refusals"
    | "paired"
    | "clock"
    | "log"
  > {
  readonly serverKey: ServerKey;
  readonly limits: Limits;
}

/** What all sessions share; one object, however many there are. */
export function sessionDeps(
  deps: SharedDeps,
  { counters, onFlood }: Pick<SessionDeps, "counters" | "onFlood">,
): SessionDeps {
  const { registry, presence, credentials, tunnels, terminals, agentEvents, refusals, paired } =
    deps;
  const { clock, log, limits } = deps;
  return {
    registry,
    presence,
    credentials,
    tunnels,
    terminals,
    counters,
    serverFingerprint: sha256Fingerprint(deps.serverKey.getPublicSSH()),
    agentEvents,
    refusals,
    paired,
    onFlood,
    silent: new SilentSessions({ limits, clock, onFault: loggedFault(log, "silent sessions") }),
    farewells: new Chores({ clock, onFault: loggedFault(log, "the end of an agent's session") }),
    limits,
    clock,
    log,
  };
}
