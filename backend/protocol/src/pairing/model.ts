import { z } from "zod";
import { authIdSchema, clientIdSchema, pairingIdSchema } from "../ids.ts";
import { line, time } from "../texts.ts";

/** Who claimed a pairing: what the installer said about its host, and where it came from. */
export const pairingClaimSchema = z.object({
  client_id: clientIdSchema,
  hostname: line,
  address: line,
  at: time,
});

/**
 * What has happened with a pairing. `installed` and `failed` are what an installer says of itself;
 * `waiting` is for somebody's approval; `connected` and `refused` are about an agent that signs in with
 * what its host claimed.
 */
export const pairingStepKindSchema = z.enum([
  "made",
  "script_fetched",
  "claimed",
  "waiting",
  "installed",
  "connected",
  "refused",
  "failed",
  "expired",
  "revoked",
]);

/** What has happened with a pairing. */
export type PairingStepKind = z.infer<typeof pairingStepKindSchema>;

/** One thing that has happened with a pairing; what is not known of it is empty. */
export const pairingStepSchema = z.object({
  kind: pairingStepKindSchema,
  /** The last time, where the same happened several times. */
  at: time,
  /** How many times in a row. */
  count: z.number().int().positive().default(1),
  address: line.default(""),
  hostname: line.default(""),
  client_id: z.string().max(128).default(""),
  /** Of `refused`: a reason of refusals, or `identifier_mismatch`. Of `failed`: the installer's step. */
  reason: line.default(""),
  /** What whoever was refused, or failed, was told. */
  text: line.default(""),
});

/** One thing that has happened with a pairing. */
export type PairingStep = z.infer<typeof pairingStepSchema>;

/** How many steps of a pairing are kept, the newest. */
export const PAIRING_STEPS_MAX = 64;

/** Where hosts get what they need. */
export const pairingServiceSchema = z.object({
  /**
   * `embedded`: at this server. `sealed`: at a service of ours apart from it, which cannot read it.
   * `rport-pairing`: at a service of RPort's, which can.
   */
  kind: z.enum(["embedded", "sealed", "rport-pairing"]),
  /** Its address; empty: this server's. */
  url: z.string().max(500),
});

/** Where hosts get what they need. */
export type PairingServiceView = z.infer<typeof pairingServiceSchema>;

/** A pairing as people see it. The token is in the answer that created it and nowhere else. */
export const pairingSchema = z.object({
  id: pairingIdSchema,
  credential_id: authIdSchema,
  state: z.enum(["active", "used", "expired", "revoked"]),
  created_at: time,
  expires_at: time,
  uses: z.number().int().min(1).max(100),
  uses_left: z.number().int().nonnegative(),
  claims: z.array(pairingClaimSchema).max(100),
  /** The only host that may claim it; empty: any. */
  hostname: z.string().max(255).default(""),
  service: pairingServiceSchema.default({ kind: "embedded", url: "" }),
  /** What has happened, the oldest first. */
  steps: z.array(pairingStepSchema).max(PAIRING_STEPS_MAX).default([]),
});

/** A pairing as people see it. */
export type Pairing = z.infer<typeof pairingSchema>;
