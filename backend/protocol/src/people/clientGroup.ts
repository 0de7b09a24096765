import { z } from "zod";
import { listOf } from "../asking/untilFault.ts";
import { line } from "../texts.ts";
import { groupListSchema, whyNotUserName } from "./user.ts";

/** The id of a group of clients. */
export const clientGroupIdSchema = z
  .string()
  .max(128)
  .superRefine((text, context) => {
    const reason = whyNotUserName(text);
    if (reason !== undefined) context.addIssue({ code: "custom", message: reason });
  })
  .brand<"ClientGroupId">();

/** The id of a group of clients. */
export type ClientGroupId = z.infer<typeof clientGroupIdSchema>;

/** Texts of which one has to fit, whatever its case; `*` stands for anything. */
const values = z.array(z.string().max(200)).max(100).nullish();

/**
 * What the clients of a group have in common; each that is given has to fit. Tags may also be told
 * to fit all (`and`) or any (`or`) of several texts.
 */
export const clientGroupParamsSchema = z.strictObject({
  client_id: values,
  name: values,
  os: values,
  os_arch: values,
  os_family: values,
  os_kernel: values,
  hostname: values,
  ipv4: values,
  ipv6: values,
  tag: z
    .union([
      z.array(z.string().max(200)).min(1).max(100),
      z.strictObject({ and: z.array(z.string().max(200)).min(1).max(100) }),
      z.strictObject({ or: z.array(z.string().max(200)).min(1).max(100) }),
    ])
    .nullish(),
  version: values,
  address: values,
  client_auth_id: values,
  connection_state: values,
});

/** What the clients of a group have in common. */
export type ClientGroupParams = z.infer<typeof clientGroupParamsSchema>;

/** A group of clients; RPort's field names. Who is in it follows from `params`. */
export const clientGroupSchema = z.object({
  id: clientGroupIdSchema,
  description: line,
  params: clientGroupParamsSchema,
  /** Groups of users who may see its clients. */
  allowed_user_groups: groupListSchema,
  /** Whether terminals on its clients are recorded. Ours. */
  record_terminals: z.boolean().default(false),
  /** Who is in it now, of those that whoever asks may see. */
  client_ids: listOf(z.string()),
  num_clients: z.int().nonnegative(),
  num_clients_connected: z.int().nonnegative(),
});

/** A group of clients as it is given. */
export const clientGroupInputSchema = z.strictObject({
  id: clientGroupIdSchema,
  description: line.default(""),
  params: clientGroupParamsSchema.default({}),
  allowed_user_groups: groupListSchema.default([]),
  /** Ours. Who leaves it out, as RPort's programs do, changes nothing of it. */
  record_terminals: z.boolean().optional(),
});
