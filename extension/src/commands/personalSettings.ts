import { workspace } from "vscode";
import { SECTION, SETTINGS } from "../manifest.ts";
import { oneOf } from "../support/oneOf.ts";

/** Of which clients it is told that they went offline and came back. */
export const TOLD = ["pinned", "all", "off"] as const;

/** What a language model may do with the servers: look, or also ask to act, or nothing. */
export const AI_TOOLS = ["read", "readWrite", "off"] as const;

/** One of `TOLD`. */
export type Told = (typeof TOLD)[number];

/** A month; longer, and nobody remembers that the old secret still lets somebody in. */
const GRACE_MAX_HOURS = 720;
const GRACE_HOURS = 24;

/** How a person wants things to be done; a value that means nothing counts as the default. */
export const personalSettings = {
  /** How long the old secret stays valid in a rotation, unless something else is chosen. */
  get graceHours(): number {
    const hours = read(SETTINGS.graceHours);
    const isMeant =
      Number.isInteger(hours) && Number(hours) >= 1 && Number(hours) <= GRACE_MAX_HOURS;
    return isMeant ? Number(hours) : GRACE_HOURS;
  },

  /** Of which clients it is told that they went offline and came back. */
  get told(): Told {
    return oneOf(TOLD, read(SETTINGS.clientStatus));
  },

  /** What a language model may do. */
  get aiTools(): (typeof AI_TOOLS)[number] {
    return oneOf(AI_TOOLS, read(SETTINGS.aiTools));
  },

  /** Whether it is asked before a tunnel of this computer is closed. */
  get asksBeforeClosing(): boolean {
    return read(SETTINGS.confirmClose) === true;
  },
};

function read(name: string): unknown {
  return workspace.getConfiguration(SECTION).get(name);
}
