import type { IncomingMessage } from "node:http";
import { RportError } from "@rport/protocol/errors";
import { readAtMost } from "./jsonBody.ts";

const FORM = "application/x-www-form-urlencoded";

/** Whether a request's body is a form. */
export function isForm({ headers }: IncomingMessage): boolean {
  const [type = ""] = (headers["content-type"] ?? "").split(";");
  return type.trim().toLowerCase() === FORM;
}

/**
 * Reads a request's body as a form of at most `maxBytes`, as an object of texts. Throws `TOO_LARGE`,
 * or `BAD_REQUEST` when a field is there twice.
 */
export async function formBody(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const form = new URLSearchParams((await readAtMost(request, maxBytes)).toString("utf8"));
  const entries = [...form];
  if (new Set(form.keys()).size < entries.length) {
    throw new RportError("BAD_REQUEST", "The form has a field twice.");
  }
  return Object.fromEntries(entries);
}
