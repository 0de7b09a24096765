import { z } from "zod";
import { isUnprintable } from "../deceptive.ts";
import { line, time } from "../texts.ts";
import { permissionsSchema } from "./right.ts";

/** Longest name of a user, in Unicode code points. */
export const USER_NAME_MAX = 64;

/** Why a text cannot be a user's name, in words for a person; undefined when it can. */
export function whyNotUserName(text: string): string | undefined {
  if (text === "") return "A user has a name.";
  if ([...text].length > USER_NAME_MAX) return `A name has at most ${USER_NAME_MAX} characters.`;
  if (/[:/\\]/.test(text)) return "A name cannot contain a colon or a slash.";
  if (/^\.\.?$/.test(text)) return "A name cannot be one or two dots: no URL holds that.";
  if (text !== text.trim()) return "A name cannot begin or end with a space.";
  if (isUnprintable(text)) return "A name cannot contain invisible or control characters.";
  if (text !== text.normalize("NFC")) return "A name is written in Unicode's composed form.";
  return undefined;
}

/** What a user signs in as. Compared as it is, so that `Anna` and `anna` are two. */
export const userNameSchema = nameSchema("UserName");

/** What a user signs in as. */
export type UserName = z.infer<typeof userNameSchema>;

/** What a group of users is called. */
export const groupNameSchema = nameSchema("GroupName");

/** What a group of users is called. */
export type GroupName = z.infer<typeof groupNameSchema>;

function nameSchema<const B extends string>(_brand: B) {
  return z
    .string()
    .max(USER_NAME_MAX * 2)
    .superRefine((text, context) => {
      const reason = whyNotUserName(text);
      if (reason !== undefined) context.addIssue({ code: "custom", message: reason });
    })
    .brand<B>();
}

/** Groups that somebody is in, each once. */
export const groupListSchema = z
  .array(groupNameSchema)
  .max(64)
  .refine((names) => new Set(names).size === names.length, "names a group twice");

/** A user, as administrators see it; RPort's field names, and below them ours. */
export const userSchema = z.object({
  username: userNameSchema,
  password_expired: z.boolean(),
  groups: groupListSchema,
  two_fa_send_to: line,
  display_name: line,
  disabled: z.boolean(),
  /** Whether signing in takes a code of an authenticator app. */
  totp: z.boolean(),
  /** Recovery codes that are left. */
  recovery_codes: z.int().nonnegative(),
  created_at: time,
  created_by: line,
  last_sign_in_at: time.nullable(),
  /** Personal tokens and sessions that work now. */
  tokens: z.int().nonnegative(),
  sessions: z.int().nonnegative(),
  /** Sockets of editors and scripts that are open now. */
  sockets: z.int().nonnegative(),
});

/** A user, as administrators see it. */
export type User = z.infer<typeof userSchema>;

/** Whoever asks, as they are told about themselves. RPort's field names, and below them ours. */
export const meSchema = z.object({
  username: userNameSchema,
  groups: groupListSchema,
  two_fa_send_to: line,
  group_permissions_enabled: z.boolean(),
  effective_user_permissions: permissionsSchema,
  display_name: line,
  /** May everything. */
  administrator: z.boolean(),
  totp: z.boolean(),
  recovery_codes: z.int().nonnegative(),
  /**
   * Whether there is an account behind it: the user of local mode has none, and so neither a
   * password nor tokens.
   */
  account: z.boolean(),
});

/** Whoever asks, as they are told about themselves. */
export type Me = z.infer<typeof meSchema>;

/** A group of users, and what its members may do. */
export const userGroupSchema = z.object({
  name: groupNameSchema,
  permissions: permissionsSchema,
});

/** A group of users. */
export type UserGroup = z.infer<typeof userGroupSchema>;

/** What ended with a user's rights, or would end. */
export const endedSchema = z.object({
  tokens: z.int().nonnegative(),
  sessions: z.int().nonnegative(),
  /** Sockets of editors and scripts. */
  sockets: z.int().nonnegative(),
  /** Connections through tunnels that end in the user's editor. */
  editor_connections: z.int().nonnegative(),
  /** Pairings that the user made and that could still be used. */
  pairings: z.int().nonnegative(),
  /** Invitations that the user made and that nobody has used. */
  invitations: z.int().nonnegative(),
});

/** What ended with a user's rights. */
export type Ended = z.infer<typeof endedSchema>;

/** A secret whose value somebody was shown, or typed. */
export const knownSecretSchema = z.object({
  auth_id: line,
  secret_id: line,
  /** How they came to know it. */
  known_by: z.enum(["typed", "shown"]),
  at: time,
});

/** A secret whose value somebody was shown, or typed. */
export type KnownSecret = z.infer<typeof knownSecretSchema>;
