import { t } from "@vscode/l10n";
import { type Clock, pause } from "../support/clock.ts";
import type { Answer } from "./bridge/askEditors.ts";
import { EXIT } from "./bridge/exitCode.ts";

/** The window that writes for all is alive, or another one takes its place. */
const WRITER_MS = 15_000;
/** One that is about to write is waited for longer, but not without end. */
const WRITTEN_MS = 60_000;
const LOOK_MS = 50;
/** So often it is looked for each time that whoever writes is asked. */
const LOOKS = 20;

/** What it is seen by. */
export interface WaitToldDeps {
  /** The names by which `ssh` is told of a host, the plainest first; none: it is not. */
  readonly aliasesOf: (handle: string) => Promise<readonly string[]>;
  /** Asks the window that writes for all why it has not told `ssh` of a host, which has it hurry. */
  readonly askWriter: (handle: string) => Promise<Answer>;
  readonly clock: Clock;
}

/**
 * Resolves with the plainest name by which `ssh` is told of a host, once it is, whichever window tells it. Rejects
 * with a sentence when there is no place for the host, or when it takes too long.
 */
export async function waitTold(handle: string, deps: WaitToldDeps): Promise<string> {
  const { aliasesOf, clock } = deps;
  const begunAtMs = clock.monotonic();
  let late = { untilMs: begunAtMs + WRITER_MS, why: noWriter() };
  for (let look = 0; ; look += 1) {
    // what is written is what ssh goes by
    const [alias] = await aliasesOf(handle);
    if (alias !== undefined) return alias;
    if (clock.monotonic() > late.untilMs) throw new Error(late.why);
    if (look % LOOKS === 0) {
      const soon = await whySoon(handle, deps);
      if (soon !== undefined) late = { untilMs: begunAtMs + WRITTEN_MS, why: soon };
    }
    await pause(LOOK_MS, clock);
  }
}

/** What whoever is about to write says of it; undefined: nobody does. Throws a sentence when it cannot be. */
async function whySoon(handle: string, { askWriter }: WaitToldDeps): Promise<string | undefined> {
  const answer = await askWriter(handle);
  if (typeof answer === "string" || answer.kind !== "stopped") return undefined;
  const { exitCode, why } = answer;
  if (exitCode === EXIT.notNow) return why;
  // it may get to know of a new host a moment later
  if (exitCode === EXIT.noClient) return undefined;
  throw new Error(why);
}

function noWriter(): string {
  return t("No window of the editor has told ssh of this client: reload its windows.");
}
