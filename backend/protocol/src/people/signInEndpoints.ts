import { z } from "zod";
import { endpoint, none } from "../endpointEntry.ts";
import { line } from "../texts.ts";
import { acceptedInvitationSchema } from "./invitation.ts";
import { tokenNameSchema } from "./token.ts";
import { userNameSchema } from "./user.ts";

/** Longest password, in UTF-16 units. */
export const PASSWORD_MAX = 512;
/** A password as somebody types it. */
export const passwordText = z.string().max(PASSWORD_MAX);
/** A code of an authenticator app, or a recovery code. */
export const codeText = z.string().max(64);

/** How long a session may be unused, in seconds, at most 90 days; RPort's number is 600. */
const lifetime = z.strictObject({
  "token-lifetime": z
    .string()
    .regex(/^[0-9]{1,7}$/, "is not a number of seconds")
    .transform(Number)
    .refine((seconds) => seconds <= 7_776_000, "is more than 90 days")
    .optional(),
});

/** RPort's answer to a password that is right. */
export const signedInSchema = z.object({
  /** A JWT. With `two_fa` it opens nothing but `/verify-2fa`, and the first `/me/totp-secret`. */
  token: z.string().max(4_096),
  two_fa: z
    .object({
      send_to: z.string(),
      delivery_method: z.literal("totp_authenticator_app"),
      totp_key_status: z.enum(["pending", "exists"]),
    })
    .nullable(),
});

/**
 * What a server tells strangers, so that they can compare its key before they show it a password.
 * It is as true as the connection that it came over.
 */
export const serverFaceSchema = z.object({
  /** The key that agents pin, in `SHA256:` form. */
  fingerprint_sha256: line,
  /** How somebody may sign in. */
  sign_in: z.object({
    /** There are users; without any, the first one comes with a code. */
    password: z.boolean(),
    invitation: z.boolean(),
  }),
});

/** What a server tells strangers. */
export type ServerFace = z.infer<typeof serverFaceSchema>;

/** Endpoints of signing in and out, as RPort has them, and of accepting an invitation. */
export const SIGN_IN_ENDPOINTS = {
  /** What strangers are told, before anything secret is shown. */
  getServerFace: endpoint({
    method: "GET",
    path: "/server",
    right: "nobody",
    params: none,
    query: none,
    body: undefined,
    output: serverFaceSchema,
    status: 200,
  }),
  /** With name and password as HTTP Basic. */
  loginWithBasic: endpoint({
    method: "GET",
    path: "/login",
    right: "nobody",
    params: none,
    query: lifetime,
    body: undefined,
    output: signedInSchema,
    status: 200,
  }),
  /** `new_password` takes the place of the one that is shown, which may have expired. */
  login: endpoint({
    method: "POST",
    path: "/login",
    right: "nobody",
    takesForm: true,
    params: none,
    query: lifetime,
    body: z.strictObject({
      username: z.string().max(200),
      password: passwordText,
      new_password: passwordText.optional(),
    }),
    output: signedInSchema,
    status: 200,
  }),
  /** With the token of `/login` and a code of the authenticator app, or a recovery code. */
  verifySecondFactor: endpoint({
    method: "POST",
    path: "/verify-2fa",
    right: "signingIn",
    params: none,
    query: lifetime,
    body: z.strictObject({ username: z.string().max(200), token: codeText }),
    output: z.object({ token: z.string().max(4_096) }),
    status: 200,
  }),
  /** Ends the session whose token is shown. */
  logout: endpoint({
    method: "DELETE",
    path: "/logout",
    right: "signingIn",
    params: none,
    query: none,
    body: undefined,
    output: undefined,
    status: 204,
  }),
  /**
   * Makes whoever knows the code of an invitation a user; it works once. Answers with a personal
   * token, so that nobody has to sign in after that.
   */
  acceptInvitation: endpoint({
    method: "POST",
    path: "/invitations/accept",
    right: "nobody",
    params: none,
    query: none,
    body: z.strictObject({
      code: codeText,
      username: userNameSchema,
      password: passwordText,
      display_name: z.string().max(200).optional(),
      /** What the token is called. */
      token_name: tokenNameSchema,
    }),
    output: acceptedInvitationSchema,
    status: 201,
  }),
} as const;
