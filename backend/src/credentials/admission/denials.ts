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

/** A denial as an admission. */
export function refused({ why, text }: Denial): RefusedAdmission {
  return { kind: "refused", why, text };
}
