import { RportError } from "@rport/protocol/errors";
import { parse } from "smol-toml";
import { withKey } from "./keyLine.ts";

/** What an installation makes of `[terminal]`. */
export type TerminalSetting =
  /** `asRoot`: the agent is root, and has to be told as whom; else its own account is the only one. */
  { readonly isAllowed: true; readonly asRoot: boolean } | { readonly isAllowed: false };

const SECTION = "terminal";
const ROOT = "root";

/**
 * The text of `rport.conf` as the setting wants it; the same text when it says so already. Comments and all other
 * keys stay, among them further accounts that somebody has named for an agent that is root. Throws
 * `BAD_REQUEST` where `terminal` is no section, or the file is no TOML.
 */
export function withTerminals(text: string, setting: TerminalSetting): string {
  const { enabled, accounts } = sectionOf(text);
  if (!setting.isAllowed) return enabled === true ? set(text, "enabled", false) : text;
  const named = Array.isArray(accounts) ? accounts.filter((one) => typeof one === "string") : [];
  const all = named.includes(ROOT) ? named : [ROOT, ...named];
  return set(set(text, "accounts", setting.asRoot ? all : undefined), "enabled", true);
}

/** Whether the text of an `rport.conf` allows terminals, whoever wrote that. Throws as `withTerminals`. */
export function allowsTerminals(text: string): boolean {
  return sectionOf(text).enabled === true;
}

function set(text: string, key: string, value: boolean | readonly string[] | undefined): string {
  const changed = withKey(text, { section: SECTION, key }, value);
  if (changed !== undefined) return changed;
  throw new RportError("BAD_REQUEST", "rport.conf has a terminal that is no section.");
}

function sectionOf(text: string): Readonly<Record<string, unknown>> {
  const found = Object.entries(parsed(text)).find(([name]) => name.toLowerCase() === SECTION)?.[1];
  const isTable = typeof found === "object" && found !== null && !Array.isArray(found);
  const keys = Object.entries(isTable ? found : {});
  return Object.fromEntries(keys.map(([key, value]) => [key.toLowerCase(), value]));
}

/** The parser's own words show the line, which may hold a secret. */
function parsed(text: string): object {
  try {
    return parse(text);
  } catch {
    throw new RportError("BAD_REQUEST", "rport.conf is not valid TOML.");
  }
}
