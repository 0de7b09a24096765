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

/** A denial as an admission. */
export function refused({ why, text }: Denial): RefusedAdmission {
  return { kind: "refused", why, text };
}
