import type { IncomingMessage } from "node:http";
import { RportError } from "@rport/protocol/errors";
import { type BodyReading, readAtMost } from "./jsonBody.ts";

const FORM = "application/x-www-form-urlencoded";
const FIELDS_MAX = 100;

/** Whether a request's body is a form. */
export function isForm({ headers }: IncomingMessage): boolean {
  const [type = ""] = (headers["content-type"] ?? "").split(";");
  return type.trim().toLowerCase() === FORM;
}

/**
 * Reads a request's body as a form of at most `maxBytes`, as an object of texts. Throws `TOO_LARGE`,
 * or `BAD_REQUEST` when a field is there twice.
 */
export async function formBody(
  request: IncomingMessage,
  { maxBytes, maxMembers = FIELDS_MAX, turn }: BodyReading,
): Promise<unknown> {
  const bytes = await readAtMost(request, maxBytes);
  await turn();
  const text = bytes.toString("utf8");
  if (text.split("&", maxMembers + 1).length > maxMembers) {
    throw new RportError("BAD_REQUEST", "The form has too many fields.");
  }
  const form = new URLSearchParams(text);
  const entries = [...form];
  if (new Set(form.keys()).size < entries.length) {
    throw new RportError("BAD_REQUEST", "The form has a field twice.");
  }
  return Object.fromEntries(entries);
}
