import { linuxCommand } from "@rport/protocol/commands";
import type { NewPairing } from "@rport/protocol/pairing/endpoints";
import type { SheetState } from "@rport/protocol/sheet";
import { isPlainLine } from "../support/text.ts";

type Platform = SheetState["platforms"][number];
type Options = SheetState["options"];

const TOOLS = ["curl", "wget"] as const;

/** Installer arguments for the options; name and tags travel in the pairing itself. */
function flagsOf({ noService, prefix }: Options): readonly string[] {
  return [...(prefix === "" ? [] : ["--prefix", prefix]), ...(noService ? ["--no-service"] : [])];
}

/**
 * The lines to paste, by platform. They are made here, from constants and quoted values, not taken
 * from the server; one that could do more than it shows is left out.
 */
export function platformsOf(created: NewPairing, options: Options): readonly Platform[] {
  const commands = TOOLS.map((tool) => ({
    id: tool,
    title: tool,
    text: linuxCommand({
      url: created.server_url,
      id: created.pairing.id,
      sha256: created.script_sha256,
      token: created.token,
      tool,
      // below a folder of one's own nothing needs root
      sudo: options.prefix === "",
      flags: flagsOf(options),
    }),
  }));
  return [
    { id: "linux", title: "Linux", commands: commands.filter(({ text }) => isPlainLine(text)) },
  ];
}

/** Stands where the lines will be: empty ones, so that the page offers nothing but to make them. */
export const NO_LINES: readonly Platform[] = [
  {
    id: "linux",
    title: "Linux",
    commands: TOOLS.map((tool) => ({ id: tool, title: tool, text: "" })),
  },
];

/** Why the options cannot be used, in words for a person; undefined when they can. */
export function whyNotOptions({ prefix }: Options): string | undefined {
  if (prefix === "") return undefined;
  if (!prefix.startsWith("/")) return "The folder has to begin with a slash.";
  return isPlainLine(prefix) ? undefined : "The folder's name has invisible characters.";
}
