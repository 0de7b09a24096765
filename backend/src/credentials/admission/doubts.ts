import type { AuthId } from "@rport/protocol/ids";
import type { JoinReason } from "@rport/protocol/join";
import type { ClientPort, ClientRef } from "../ports.ts";
import type { Newcomer, WaitingRoom } from "./waitingRoom.ts";

/** What speaks against that a client is the one that is on record under its id. */
export type Doubt = Exclude<JoinReason, "new">;

/** As much of a client as shows whether it is the one that is on record. */
export type ShownHost = Pick<Newcomer, "clientId" | "hostKey" | "address">;

/** What doubts are settled by. */
export interface DoubtsDeps {
  readonly clients: Pick<ClientPort, "clientOf">;
  readonly waitingRoom: Pick<WaitingRoom, "decisionOn">;
}

/** Whether a client is the one that is on record under its id, as far as that can be known. */
export class Doubts {
  readonly #deps: DoubtsDeps;

  constructor(deps: DoubtsDeps) {
    this.#deps = deps;
  }

  /** What speaks against it, unless a person has approved it all the same. Looks into memory only. */
  about(credentialId: AuthId, shown: ShownHost): Doubt | undefined {
    const { clients, waitingRoom } = this.#deps;
    const doubt = doubtAbout(clients.clientOf(shown.clientId), { credentialId, shown });
    if (doubt === undefined) return undefined;
    return waitingRoom.decisionOn(credentialId, shown) === "approved" ? undefined : doubt;
  }
}

/**
 * A host is known by its key, whatever it signs in with. One that has none, as with RPort's own
 * client, is known by its credential; it may get a key there.
 */
export function doubtAbout(
  known: Pick<ClientRef, "credentialId" | "hostKey" | "mayLackKey"> | undefined,
  claim: { readonly credentialId: AuthId; readonly shown: Pick<ShownHost, "hostKey"> },
): Doubt | undefined {
  if (known === undefined) return undefined;
  const { hostKey: key, mayLackKey } = known;
  const { hostKey: shownKey } = claim.shown;
  if (key !== undefined && shownKey === key) return undefined;
  if (key !== undefined && shownKey !== "") return "key-changed";
  if (key !== undefined && !mayLackKey) return "key-missing";
  return known.credentialId === claim.credentialId ? undefined : "other-credential";
}
