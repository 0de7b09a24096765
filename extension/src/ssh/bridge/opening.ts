import { type ErrorCode, isErrorCode, RportError } from "@rport/protocol/errors";
import { z } from "zod";
import { describeError } from "../../support/describeError.ts";

/** What bridges and windows say to each other; a bridge of another version than the window is told so. */
export const BRIDGE_VERSION = 1;

/** What somebody calls a client: its handle, its id, its name or its host name. */
const called = z.string().min(1).max(600);

/** What a bridge asks for: a connection, as `opening`. */
export const openingSchema = z.object({
  client: called,
  /** As seen from the client. */
  host: z.string().min(1).max(255),
  port: z.number().int().min(1).max(65_535),
});

/** See `openingSchema`. */
export type Opening = z.infer<typeof openingSchema>;

/** What a bridge asks for: why `ssh` was told of no host that is called so, as `naming`. */
export const namingSchema = z.object({ name: called });

/** What a window says when it carries nothing, or no longer, as `failed`: a sentence, and what it comes under. */
const failureSchema = z.object({
  code: z.custom<ErrorCode>((code) => typeof code === "string" && isErrorCode(code)),
  why: z.string().max(8_000),
});

/** What was said beside the bytes, by its schema; undefined: it is something else. */
export function parsed<T>(text: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** How a window says why it carries nothing. */
export function failureText(error: unknown): string {
  const code = error instanceof RportError ? error.code : "INTERNAL";
  return JSON.stringify({ code, why: describeError(error) });
}

/** What `failureText` has made; a text of another kind is an `INTERNAL` with the text. */
export function failureOf(text: string): RportError {
  const { code, why } = parsed(text, failureSchema) ?? { code: "INTERNAL" as const, why: text };
  return new RportError(code, why);
}
