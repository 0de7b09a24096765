import { groupListSchema, userNameSchema } from "@rport/protocol/people/user";
import { line, time } from "@rport/protocol/texts";
import { z } from "zod";

const bytesText = z.string().regex(/^[A-Za-z0-9_-]{8,128}$/);

/** A password as it is kept: what scrypt makes of it and of the salt, all in base64url. */
export const passwordRecordSchema = z.strictObject({
  scheme: z.literal("scrypt"),
  salt: bytesText,
  verifier: bytesText,
});

/** A password as it is kept. */
export type PasswordRecord = z.infer<typeof passwordRecordSchema>;

/**
 * The second factor: its secret, sealed, and hashes of the recovery codes that are left. It counts
 * once it is confirmed. `last_step` is the period of the last code that was taken: none before it,
 * nor that one, is taken again.
 */
export const totpRecordSchema = z.strictObject({
  secret: z.string().max(400),
  confirmed: z.boolean(),
  last_step: z.int().nonnegative().nullable(),
  recovery_hashes: z.array(bytesText).max(20),
});

/** The second factor of a user. */
export type TotpRecord = z.infer<typeof totpRecordSchema>;

/** A user as they are kept. */
export const userRecordSchema = z.strictObject({
  username: userNameSchema,
  display_name: line,
  groups: groupListSchema,
  disabled: z.boolean(),
  /** Null: nobody signs in with a password. */
  password: passwordRecordSchema.nullable(),
  password_expired: z.boolean(),
  totp: totpRecordSchema.nullable(),
  two_fa_send_to: line,
  created_at: time,
  created_by: line,
  last_sign_in_at: time.nullable(),
  /** Since when the name is theirs; absent: since they were made. */
  named_at: time.optional(),
  /** Tells them from whoever has their name before or after them. A user of earlier versions gets one at the start. */
  account_id: z
    .string()
    .regex(/^[0-9A-Za-z_-]{22}$/)
    .optional(),
});

/** A user as they are kept. */
export type UserRecord = Readonly<z.infer<typeof userRecordSchema>>;
