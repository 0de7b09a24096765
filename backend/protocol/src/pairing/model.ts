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
});

/** A pairing as people see it. */
export type Pairing = z.infer<typeof pairingSchema>;
