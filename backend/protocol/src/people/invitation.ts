import { z } from "zod";
import { line, time } from "../texts.ts";
import { groupListSchema, userNameSchema } from "./user.ts";

/** The public id of an invitation; it opens nothing. */
export const invitationIdSchema = z
  .string()
  .regex(/^[0-9A-Za-z_-]{8,32}$/)
  .brand<"InvitationId">();

/** The public id of an invitation. */
export type InvitationId = z.infer<typeof invitationIdSchema>;

/** What makes one person a user, once and for minutes; without its code. */
export const invitationSchema = z.object({
  id: invitationIdSchema,
  groups: groupListSchema,
  /** For whom it is, in the words of whoever made it. */
  display_name: line,
  created_at: time,
  created_by: line,
  expires_at: time,
});

/** What makes one person a user. */
export type Invitation = z.infer<typeof invitationSchema>;

/** A new invitation: the only answer that contains its code, which is typed by hand. */
export const newInvitationSchema = invitationSchema.extend({ code: z.string().max(64) });

/** A new invitation. */
export type NewInvitation = z.infer<typeof newInvitationSchema>;

/** What becomes of an invitation that was accepted: a user, and a token for the editor at hand. */
export const acceptedInvitationSchema = z.object({
  username: userNameSchema,
  /** A personal token of scope `read+write`; shown this once. */
  token: z.string().max(200),
  expires_at: time.nullable(),
});
