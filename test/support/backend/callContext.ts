import type { Handler } from "../../../backend/src/http/endpoints.ts";
import type { Actor } from "../../../backend/src/users/actor.ts";

/** The circumstances of a call that has every right that it asks for. */
export function callContext(actor: Actor, user: string): Parameters<Handler<"listAudit">>[1] {
  return {
    actor,
    user,
    address: "192.0.2.1",
    isShared: false,
    origin: "http://rport.example",
    authorization: undefined,
    userAgent: "",
    requireRight: () => {},
  };
}
