import { z } from "zod";
import { listOf } from "../asking/untilFault.ts";
import { endpoint, none } from "../endpointEntry.ts";
import { givenTime, line } from "../texts.ts";
import { codeText, passwordText } from "./signInEndpoints.ts";
import {
  newTokenInputSchema,
  newTokenSchema,
  tokenNameSchema,
  tokenPrefixSchema,
  tokenSchema,
} from "./token.ts";
import { meSchema } from "./user.ts";

const tokenParams = z.object({ prefix: tokenPrefixSchema });

/** Endpoints of users about themselves. */
export const ME_ENDPOINTS = {
  getMe: endpoint({
    method: "GET",
    path: "/me",
    right: "user",
    params: none,
    query: none,
    body: undefined,
    output: meSchema,
    status: 200,
  }),
  /**
   * A new password takes the old one; another name takes it, too, or a session that began within ten
   * minutes. What is absent or empty stays.
   */
  updateMe: endpoint({
    method: "PUT",
    path: "/me",
    right: "user",
    params: none,
    query: none,
    body: z.strictObject({
      username: z.string().max(200).optional(),
      password: passwordText.optional(),
      old_password: passwordText.optional(),
      two_fa_send_to: line.optional(),
      display_name: z.string().max(200).optional(),
    }),
    output: undefined,
    status: 204,
  }),
  /** The address that the request came from. */
  getMyAddress: endpoint({
    method: "GET",
    path: "/me/ip",
    right: "user",
    params: none,
    query: none,
    body: undefined,
    output: z.object({ ip: z.string().max(64) }),
    status: 200,
  }),
  listTokens: endpoint({
    method: "GET",
    path: "/me/tokens",
    right: "user",
    params: none,
    query: none,
    body: undefined,
    output: listOf(tokenSchema),
    status: 200,
  }),
  /**
   * Without `expires_at` it works for a year, as in RPort; null: until it is ended. With a personal
   * token, no longer than that and for no more; else with a session that began within ten minutes.
   */
  createToken: endpoint({
    method: "POST",
    path: "/me/tokens",
    right: "user",
    params: none,
    query: none,
    body: newTokenInputSchema,
    output: newTokenSchema,
    status: 200,
  }),
  /** An end that is later takes the same as a new token. */
  updateToken: endpoint({
    method: "PUT",
    path: "/me/tokens/:prefix",
    right: "user",
    params: tokenParams,
    query: none,
    body: z.strictObject({
      name: tokenNameSchema.optional(),
      expires_at: givenTime.nullable().optional(),
    }),
    output: tokenSchema,
    status: 200,
  }),
  /** The token stops working, and everything that was opened with it ends. */
  deleteToken: endpoint({
    method: "DELETE",
    path: "/me/tokens/:prefix",
    right: "user",
    params: tokenParams,
    query: none,
    body: undefined,
    output: undefined,
    status: 204,
  }),
  /** Whether there is one; RPort tells the secret again, which ours never does: 404 or its state. */
  getTotpSecret: endpoint({
    method: "GET",
    path: "/me/totp-secret",
    right: "user",
    isBare: true,
    params: none,
    query: none,
    body: undefined,
    output: z.object({ totp_key_status: z.enum(["pending", "exists"]) }),
    status: 200,
  }),
  /**
   * A new secret for an authenticator app, told this once, with its picture (PNG in base64) and
   * recovery codes. It counts from the first code on that `/verify-2fa` or `confirmTotp` is shown.
   * Takes a session that began within ten minutes, or the password.
   */
  createTotpSecret: endpoint({
    method: "POST",
    path: "/me/totp-secret",
    right: "signingIn",
    isBare: true,
    params: none,
    query: none,
    body: z.strictObject({ password: passwordText.optional() }),
    mayLackBody: true,
    output: z.object({
      secret: z.string().max(200),
      qr: z.string(),
      /** `otpauth://`, for those who cannot scan. */
      uri: z.string().max(1_000),
      recovery_codes: listOf(z.string().max(64)),
    }),
    status: 200,
  }),
  /** Shows the first code of a new secret, which counts from then on. */
  confirmTotp: endpoint({
    method: "POST",
    path: "/me/totp-secret/confirm",
    right: "user",
    params: none,
    query: none,
    body: z.strictObject({ token: codeText }),
    output: undefined,
    status: 204,
  }),
  /** Takes a session that began within ten minutes, or a code of the app, or a recovery code. */
  deleteTotpSecret: endpoint({
    method: "DELETE",
    path: "/me/totp-secret",
    right: "user",
    params: none,
    query: none,
    body: z.strictObject({ token: codeText.optional() }),
    mayLackBody: true,
    output: undefined,
    status: 204,
  }),
} as const;
