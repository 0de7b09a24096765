import { RportError } from "@rport/protocol/errors";
import { ACCOUNT_NAME } from "../account.ts";
import { isPlain } from "./unit.ts";

/** The only things in which two scripts differ. */
export interface ScriptFacts {
  readonly user: string;
  readonly allowsTerminals: boolean;
  /** The program and its arguments; absolute paths of plain characters. */
  readonly command: readonly string[];
  /** Where the agent's words go. */
  readonly logFile: string;
  /** The agent as it was placed, which a script may call. */
  readonly program: string;
}

/**
 * The same facts. Throws `BAD_REQUEST` for a name or a path that a shell could take for more than a
 * word: scripts are run by root.
 */
export function checkedFacts(facts: ScriptFacts): ScriptFacts {
  if (!ACCOUNT_NAME.test(facts.user)) {
    throw new RportError("BAD_REQUEST", "The user's name has letters that a service cannot have.");
  }
  if (![...facts.command, facts.logFile, facts.program].every(isPlain)) {
    throw new RportError("BAD_REQUEST", "A path has characters that a service cannot have.");
  }
  return facts;
}
