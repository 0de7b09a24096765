import { isDeepStrictEqual } from "node:util";
import { RportError } from "@rport/protocol/errors";
import { parse, stringify } from "smol-toml";
import type { AgentCredential } from "./config.ts";

/** `auth = "..."` on a line of its own: what stands before the value, and the value. */
const AUTH_LINE =
  /^(\s*(?:client\s*\.\s*)?(?:auth|"auth"|'auth')\s*=\s*)("(?:[^"\\]|\\.)*"|'[^']*')/i;
/** The line behind which a missing `auth` is put. */
const CLIENT_LINE = /^\s*\[\s*["']?client["']?\s*\]/i;

/**
 * The text of `rport.conf` with another `client.auth`, and nothing else changed: comments, order
 * and line ends stay. Whether a line was the right one is not guessed but checked, by parsing the
 * result. A file in which no single line holds the value is written anew from what it means,
 * without its comments. Throws when the credential cannot be written as TOML.
 */
export function replaceAuth(text: string, credential: AgentCredential): string {
  const value = `${credential.authId}:${credential.secret}`;
  const wanted = parse(text);
  const client = wanted[nameIn(wanted, "client")];
  if (isTable(client)) client[nameIn(client, "auth")] = value;
  for (const candidate of [...candidates(text, quote(value)), stringify(wanted)]) {
    if (isDeepStrictEqual(tryParse(candidate), wanted)) return candidate;
  }
  throw new RportError("BAD_REQUEST", "The new secret cannot be written to the configuration.");
}

/** The file with one line changed or added, for each line that might be the right one. */
function candidates(text: string, quoted: string): string[] {
  const lines = text.split("\n");
  return lines.flatMap((line, index) => {
    if (CLIENT_LINE.test(line))
      return [lines.toSpliced(index + 1, 0, `auth = ${quoted}`).join("\n")];
    if (!AUTH_LINE.test(line)) return [];
    const replaced = line.replace(AUTH_LINE, (_match, before: string) => before + quoted);
    return [lines.with(index, replaced).join("\n")];
  });
}

/** A name as the file writes it: RPort's reader ignores case. */
function nameIn(table: object, name: string): string {
  return Object.keys(table).find((key) => key.toLowerCase() === name) ?? name;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function tryParse(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** A TOML basic string: JSON's escapes, and DEL, which TOML does not take bare. */
function quote(value: string): string {
  return JSON.stringify(value).replaceAll("\u007f", "\\u007f");
}
