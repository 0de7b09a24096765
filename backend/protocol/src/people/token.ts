import { z } from "zod";
import { ownText } from "../asking/ownText.ts";
import { givenTime, line, time } from "../texts.ts";
import { tokenScopeSchema } from "./right.ts";
import { userNameSchema } from "./user.ts";

/** The public beginning of a personal token, by which it is named. */
export const tokenPrefixSchema = z
  .string()
  .regex(/^[0-9A-Za-z]{8}$/, "is no prefix of a token")
  .brand<"TokenPrefix">();

/** The public beginning of a personal token. */
export type TokenPrefix = z.infer<typeof tokenPrefixSchema>;

/** What somebody calls a token of theirs, such as the name of a computer. */
export const tokenNameSchema = z.string().trim().min(1, "is missing").max(249).transform(ownText);

/** A personal token, without its value. RPort's field names; when and where it was used is ours. */
export const tokenSchema = z.object({
  prefix: tokenPrefixSchema,
  name: line,
  scope: tokenScopeSchema,
  created_at: time,
  expires_at: time.nullable(),
  last_used_at: time.nullable(),
  /** The address it was used from last; empty: never. */
  last_used_from: line,
  /** Whether it is the one that was shown with this request. */
  current: z.boolean(),
});

/** A personal token, without its value. */
export type Token = z.infer<typeof tokenSchema>;

/** A new personal token: the only answer that contains its value, `<prefix>_<secret>`. */
export const newTokenSchema = z.object({
  prefix: tokenPrefixSchema,
  name: line,
  scope: tokenScopeSchema,
  token: z.string().max(200),
  created_at: time,
  expires_at: time.nullable(),
});

/** A new personal token. */
export type NewToken = z.infer<typeof newTokenSchema>;

/** A personal token as it is asked for. Without `expires_at` it works for a year; null: until it is ended. */
export const newTokenInputSchema = z.strictObject({
  name: tokenNameSchema,
  scope: tokenScopeSchema,
  expires_at: givenTime.nullable().optional(),
});

/** A personal token as it is asked for. */
export type NewTokenInput = z.infer<typeof newTokenInputSchema>;

/** A session that began with a password; RPort's field names. Its token is never told again. */
export const sessionSchema = z.object({
  session_id: z.int().positive(),
  username: userNameSchema,
  expires_at: time,
  last_access_at: time,
  user_agent: line,
  ip_address: line,
});

/** A session that began with a password. */
export type Session = z.infer<typeof sessionSchema>;
