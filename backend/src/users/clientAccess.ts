import { RportError } from "@rport/protocol/errors";
import type { ClientId } from "@rport/protocol/ids";
import type { Actor } from "./actor.ts";

/** Who sees which clients. */
export interface ClientAccess {
  maySee(actor: Pick<Actor, "isAdministrator" | "groups">, client: ClientId): boolean;
}

/** Whoever may not see a client is answered as if there were none: its id is not told, either. */
export function requireClient(access: ClientAccess, actor: Actor, client: ClientId): void {
  if (access.maySee(actor, client)) return;
  throw new RportError("NOT_FOUND", "There is no such client.");
}
