import { z } from "zod";

/** What an entry of the audit log is about: RPort's names, and ours for what RPort leaves out. */
export const AUDIT_APPLICATIONS = [
  "audit",
  "auth.api.session",
  "auth.api.sessions",
  "auth.user",
  "auth.user.me",
  "auth.user.me.token",
  "auth.user.totp",
  "auth.user.group",
  "auth.user.invitation",
  "client",
  "client.key",
  "client.acl",
  "client.attributes",
  "client.auth",
  "client.auth.rotation",
  "client.auth.secret",
  "client.group",
  "client.join",
  "client.refusal",
  "client.terminal",
  "client.terminal.recording",
  "client.tunnel",
  "client.tunnel.editor",
  "pairing",
  "server",
] as const;

/** What an entry of the audit log is about. */
export type AuditApplication = (typeof AUDIT_APPLICATIONS)[number];

/**
 * What happened. `failed` also stands for what was refused; `gap` and `break` are the log's own
 * words for entries that could not be written and for damage it found.
 */
export const AUDIT_ACTIONS = [
  "create",
  "delete",
  "rotate",
  "revoke",
  "allow",
  "approve",
  "deny",
  "flood",
  "move",
  "update",
  "disable",
  "enable",
  "accept",
  "purge",
  "finish",
  "cancel",
  "success",
  "failed",
  "connect",
  "open",
  "resume",
  "end",
  "fetch",
  "claim",
  "expire",
  "start",
  "stop",
  "gap",
  "break",
] as const;

/** What happened. */
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** A row of the audit log in RPort's field names; `seq` is ours. Empty text: does not apply. */
export const auditRowSchema = z.object({
  timestamp: z.iso.datetime({ offset: true }),
  /** The user whose token was shown; empty for agents, installers and the server itself. */
  username: z.string(),
  remote_ip: z.string(),
  application: z.string(),
  action: z.string(),
  affected_id: z.string(),
  client_id: z.string(),
  client_hostname: z.string(),
  /** JSON text of what was asked, without anything secret. */
  request: z.string(),
  /** JSON text of what came of it, without anything secret. */
  response: z.string(),
  /** The place in the log: grows by one per entry, whatever the clock does. */
  seq: z.number().int().positive(),
});

/** A row of the audit log. */
export type AuditRow = z.infer<typeof auditRowSchema>;
