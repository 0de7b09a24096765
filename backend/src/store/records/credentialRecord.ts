import { credentialSchema } from "@rport/protocol/model";
import { z } from "zod";

/**
 * A credential as it is kept: what people name and read. Its secrets are rows elsewhere. `salt`,
 * 16 bytes in base64url, is shared by its typed passwords, so that one derivation checks a login
 * against all of them. `revoked` means: a deletion is under way, or was when the process ended.
 */
export const credentialRecordSchema = credentialSchema
  .pick({
    id: true,
    label: true,
    kind: true,
    state: true,
    created_at: true,
    created_by: true,
    limits: true,
  })
  .extend({ salt: z.string().regex(/^[A-Za-z0-9_-]{22}$/) })
  .strict();

/** A credential as it is kept. */
export type CredentialRecord = z.infer<typeof credentialRecordSchema>;
