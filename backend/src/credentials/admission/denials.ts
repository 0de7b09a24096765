import type { RefusalReason } from "@rport/protocol/refusal";
import type { RoomLimit } from "../ports.ts";
import type { Doubt } from "./doubts.ts";
import type { Denial, RefusedAdmission } from "./verdicts.ts";

/** Denials that need no further facts. */
export const DENIALS = {
  deleted: { why: "revoked-credential", text: "These credentials were revoked." },
  revoked: { why: "revoked-secret", text: "These credentials were revoked." },
  expired: { why: "expired", text: "These credentials have expired." },
  clientRevoked: {
    why: "revoked-client",
    text: "This client was revoked: it is let in again when somebody allows it.",
  },
  serverFull: {
    why: "server-full",
    text: "The server has no room for more hosts; whoever runs it has to make some.",
  },
  credentialFull: {
    why: "credential-full",
    text: "The hosts of these credentials fill the room that they may have on the server.",
  },
  boundToOther: {
    why: "bound-to-other-client",
    text: "This secret belongs to another client: each host needs a pairing of its own.",
  },
} as const satisfies Readonly<Record<string, Denial>>;

/** Why a client that may not be the one on record under its id is not let in without a person. */
export const UNSURE: Readonly<Record<Doubt, Denial>> = {
  "key-changed": unsure("shows another host key than the client that is known by its id"),
  "key-missing": unsure("does not show the host key that the client with its id is known by"),
  "other-credential": unsure("comes with another credential than the client with its id"),
};

function unsure(what: string): Denial {
  const text = `This host ${what}; it is let in when somebody approves it on the server.`;
  return { why: "not-approved", text };
}

/** What is used up when the hosts of a credential fill their own share. */
const OF_CREDENTIAL: ReadonlySet<RoomLimit> = new Set([
  "clients_per_credential",
  "record_bytes_per_credential",
]);

/** For a new client, when this limit is met. */
export function noRoom(limit: RoomLimit): Denial {
  return OF_CREDENTIAL.has(limit) ? DENIALS.credentialFull : DENIALS.serverFull;
}

/** The words of `noRoom`. */
export type RoomDenial = Extract<RefusalReason, "server-full" | "credential-full">;

/** Whether this is one of them. */
export function isNoRoom(why: RefusalReason): why is RoomDenial {
  return why === "server-full" || why === "credential-full";
}

/** A denial as an admission. */
export function refused({ why, text }: Denial): RefusedAdmission {
  return { kind: "refused", why, text };
}
