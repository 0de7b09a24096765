import { z } from "zod";
import { isDeceptive, isUnprintable } from "./deceptive.ts";

/** Longest auth id, in Unicode code points; RPort's shortest is 3 bytes. */
export const AUTH_ID_MAX = 64;
/** Longest client id we take from an agent; RPort does not limit it, machine ids have 32 to 36. */
const CLIENT_ID_MAX = 128;

/** Why a text cannot become an auth id, in words for a person; `undefined` when it can. */
export function whyNotAuthId(text: string): string | undefined {
  if (isDeceptive(text)) return "An auth id cannot contain invisible or control characters.";
  return whyNoAuthId(text);
}

/** The same of one that is there: what was taken before the rule became stricter stays one. */
function whyNoAuthId(text: string): string | undefined {
  const length = [...text].length;
  if (length < 3) return "An auth id has at least 3 characters.";
  if (length > AUTH_ID_MAX) return `An auth id has at most ${AUTH_ID_MAX} characters.`;
  if (text.includes(":")) return "An auth id cannot contain a colon: agents split there.";
  if (text !== text.trim()) return "An auth id cannot begin or end with a space.";
  if (isUnprintable(text)) return "An auth id cannot contain invisible or control characters.";
  return undefined;
}

/** The name of a credential, as agents send it at login. */
export const authIdSchema = z
  .string()
  .max(AUTH_ID_MAX * 2)
  .superRefine((text, context) => {
    const reason = whyNoAuthId(text);
    if (reason !== undefined) context.addIssue({ code: "custom", message: reason });
  })
  .brand<"AuthId">();

/** The name of a credential. */
export type AuthId = z.infer<typeof authIdSchema>;

/** Path segments that every client of HTTP takes away, also when they are percent-encoded. */
const DOTS = /^\.\.?$/;

/**
 * What an agent calls itself, normally the operating system's machine id. Compared as it is: case,
 * spaces and Unicode forms make different ids.
 */
export const clientIdSchema = z
  .string()
  .min(1)
  .max(CLIENT_ID_MAX)
  .refine((text) => !isUnprintable(text), "A client id cannot contain control characters.")
  .refine((text) => !DOTS.test(text), "A client id cannot be one or two dots: no URL holds that.")
  .brand<"ClientId">();

/** What an agent calls itself. */
export type ClientId = z.infer<typeof clientIdSchema>;

/** The id of one secret of a credential; safe to show and to log. */
export const secretIdSchema = z
  .string()
  .regex(/^[0-9A-Za-z_-]{8,64}$/)
  .brand<"SecretId">();

/** The id of one secret of a credential. */
export type SecretId = z.infer<typeof secretIdSchema>;

/** A tunnel's id: RPort counts from "1" per client, so it is unique together with the client id. */
export const tunnelIdSchema = z
  .string()
  .regex(/^[0-9]{1,10}$/)
  .brand<"TunnelId">();

/** A tunnel's id, unique per client. */
export type TunnelId = z.infer<typeof tunnelIdSchema>;

/**
 * The public lookup id of a pairing: 80 bits in Crockford's base 32. It opens nothing by itself.
 */
export const pairingIdSchema = z
  .string()
  .regex(/^[0-9A-HJKMNP-TV-Z]{16}$/)
  .brand<"PairingId">();

/** The public lookup id of a pairing. */
export type PairingId = z.infer<typeof pairingIdSchema>;
