import type { LiveSession } from "../liveSession.ts";
import type { Claimant } from "../registry/duplicates.ts";
import type { Presence } from "../registry/presence.ts";
import type { ClientRegistry } from "../registry/registry.ts";
import { Refused } from "./refused.ts";

/** How long the connection before may take to show that it is alive. */
const RIVAL_ANSWER_MS = 3_000;
/**
 * A client that must not be pinged counts as alive while it was heard of within its own interval.
 */
const RIVAL_SILENCE_MS = 210_000;

/** What a refused host is told to do, after RPort's own words. */
const ADVICE = {
  copy: "Both show the same host key, so one is a copy of the other: enroll the copy with --new-id.",
  other: 'Only one host can have this client id: give this one another, with --new-id or "id".',
};

/** What a take-over looks at. */
export interface TakeOverDeps {
  readonly registry: Pick<ClientRegistry, "adopting" | "duplicates" | "record">;
  readonly presence: Presence<LiveSession>;
}

/**
 * Fails (`Refused`) while somebody is connected as the client: who may be somebody else is noted as
 * a duplicate then, and asks nobody to be let in. Nor is the one that is connected asked: anybody
 * with any secret could have any host asked again and again. One that has vanished is found by the
 * pinger.
 */
export function requireNoRival(deps: TakeOverDeps, claimant: Claimant): void {
  const rival = deps.presence.locate(claimant.id);
  if (rival === undefined || rival === claimant.session || rival.isClosed) return;
  if (rival.canBePinged || isRecent(rival)) throw duplicate(deps.registry, claimant, rival);
}

/**
 * Makes the claimant the one that speaks for its client id. The same process on the same host that
 * comes again replaces its old connection, and so does who has proven the key that the client is
 * known by, when the other one has not; anybody else does so only when nothing comes over the old
 * connection any more. It is noted as a duplicate and refused otherwise (`Refused`), in RPort's words and with
 * what to do about it.
 */
export async function takeOver(deps: TakeOverDeps, claimant: Claimant): Promise<void> {
  const { registry, presence } = deps;
  const { id, session } = claimant;
  for (;;) {
    const adopting = registry.adopting(id);
    if (adopting !== undefined) {
      await adopting;
      continue;
    }
    const rival = presence.locate(id);
    if (rival === undefined) break;
    if (rival === session) return;
    const isMeant = isSameProcess(rival, session) || isImpostor(deps, claimant, rival);
    if (!isMeant && !rival.isClosed && (await isAlive(rival))) {
      throw duplicate(registry, claimant, rival);
    }
    rival.cut("replaced by a new connection of the same client");
    if (presence.locate(id) === rival) break;
  }
  if (!session.isClosed) presence.claim(id, session);
}

function duplicate(
  registry: TakeOverDeps["registry"],
  { id, session, address, hostname }: Claimant,
  rival: LiveSession,
): Refused {
  const sameHostKey = session.hostKey !== undefined && session.hostKey === rival.hostKey;
  registry.duplicates.note(id, { address, hostname, sameHostKey });
  const name = registry.record(id)?.name ?? "";
  const advice = sameHostKey ? ADVICE.copy : ADVICE.other;
  return new Refused("duplicate", `client is already connected: ${name} [${id}]. ${advice}`);
}

/** Who knows the id of a process does not thereby have the key of its host. */
function isSameProcess(rival: LiveSession, session: LiveSession): boolean {
  const isSameId = session.agentSessionId !== "" && session.agentSessionId === rival.agentSessionId;
  return isSameId && session.hostKey === rival.hostKey;
}

/** Whether the rival lacks the key that the client is known by, and the claimant has it. */
function isImpostor({ registry }: TakeOverDeps, { id, session }: Claimant, rival: LiveSession) {
  const known = registry.record(id)?.host_key ?? undefined;
  return known !== undefined && session.hostKey === known && rival.hostKey !== known;
}

async function isAlive(rival: LiveSession): Promise<boolean> {
  return rival.canBePinged ? await rival.isHeardWithin(RIVAL_ANSWER_MS) : isRecent(rival);
}

function isRecent(rival: LiveSession): boolean {
  return rival.silentMs < RIVAL_SILENCE_MS;
}
