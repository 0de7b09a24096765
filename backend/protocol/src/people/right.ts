import { z } from "zod";

/** What the members of a group may do with the clients that they may see: RPort's names, and `terminal`, which is ours. */
export const PERMISSIONS = [
  "tunnels",
  "commands",
  "scripts",
  "vault",
  "scheduler",
  "monitoring",
  "uploads",
  "auditlog",
  "terminal",
] as const;

/** One of the permissions. */
export type Permission = (typeof PERMISSIONS)[number];

/** The group whose members may do everything, and see every client. It cannot be changed or removed. */
export const ADMINISTRATORS = "Administrators";

/** For each permission whether it is given. */
export const permissionsSchema = z.strictObject(
  Object.fromEntries(PERMISSIONS.map((name) => [name, z.boolean().default(false)])) as {
    [P in Permission]: z.ZodDefault<z.ZodBoolean>;
  },
);

/** For each permission whether it is given. */
export type Permissions = z.output<typeof permissionsSchema>;

/** Every permission. */
export const ALL_PERMISSIONS: Permissions = permissionsSchema.parse(
  Object.fromEntries(PERMISSIONS.map((name) => [name, true])),
);

/** No permission. */
export const NO_PERMISSIONS: Permissions = permissionsSchema.parse({});

/**
 * What somebody needs for an endpoint: `nobody` has to be signed in; `signingIn` is enough for
 * whoever has shown the password and owes the second factor; `user` is whoever is signed in;
 * `administrator` is a member of `Administrators`; a permission is had through a group. Where the
 * path names a client, the user has to have access to that client in any case.
 */
export type Right = "nobody" | "signingIn" | "user" | "administrator" | Permission;

/**
 * What a personal token may be used for: reading (`GET`, no sockets), everything that its user may
 * do, or nothing but the endpoints of credentials.
 */
export const tokenScopeSchema = z.enum(["read", "read+write", "clients-auth"]);

/** What a personal token may be used for. */
export type TokenScope = z.infer<typeof tokenScopeSchema>;
