import type { RefusalReason } from "@rport/protocol/refusal";
import { isNoRoom } from "../../credentials/admission/denials.ts";
import { factsOf, namesOf } from "./agentFacts.ts";
import type { ArrivingSession } from "./arrivingSession.ts";
import type { Refused } from "./refused.ts";
import type { SessionDeps } from "./sessionDeps.ts";

/** Refusals that come in any number when a credential was stolen. */
const FLOODS: ReadonlySet<RefusalReason> = new Set([
  "join-rate",
  "too-many-clients",
  "server-full",
  "credential-full",
]);

/** Who was refused: its connection, and what the host calls itself, as it came. */
export interface TurnedAway {
  readonly session: ArrivingSession;
  readonly hostname: string | undefined;
}

/**
 * Writes down in the log, the audit log and the list of refusals that an agent was not let in. One
 * entry, and one line of the log, stand for all of a flood: see `Floods`.
 */
export function writeDownRefusal(
  { why, text }: Refused,
  { session, hostname }: TurnedAway,
  { log, agentEvents, registry, refusals, onFlood }: SessionDeps,
): void {
  const isOneOfMany = FLOODS.has(why);
  log[isOneOfMany ? "debug" : "warn"]("agent refused", { ...namesOf(session), reason: text });
  if (isOneOfMany) onFlood();
  else agentEvents.refused(factsOf(session, registry), text);
  const { address, credentialId: authId, clientId } = session;
  if (isNoRoom(why)) registry.room.noteRefused(authId, why);
  refusals.note({ why, address, authId, clientId, hostname, text });
}
