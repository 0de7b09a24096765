import type { Readable, Writable } from "node:stream";
import { parseHostPort } from "@rport/protocol/remote";
import { VERSION } from "@rport/protocol/version";
import { t } from "@vscode/l10n";
import type { Clock } from "../../support/clock.ts";
import { plainText } from "../../support/text.ts";
import { askEditors, type Carried, type Question } from "./askEditors.ts";
import { EXIT } from "./exitCode.ts";
import type { FramedStream } from "./framedStream.ts";
import { helpText, USAGE } from "./helpText.ts";
import { namingSchema, openingSchema } from "./opening.ts";

/** What the bridge works with. */
export interface ProgramDeps {
  readonly args: readonly string[];
  /** The folders that the windows of each editor of this person share. */
  readonly storages: () => Promise<readonly string[]>;
  /** How somebody calls this program. */
  readonly command: string;
  readonly clock: Clock;
  readonly input: Readable;
  readonly output: Writable;
  /** Says one sentence to whoever called. */
  readonly say: (sentence: string) => void;
}

/**
 * `connect CLIENT [HOST:]PORT`: carries input and output to a port of a client, or of a host behind it, by way
 * of a window of the editor, which signs in. `unknown NAME`, for `ssh`, says why it was told of no host of that name;
 * `unknown`, where that is not to be had, says so of whichever.
 * Answers the exit code, one of `EXIT`; each but the first comes after one sentence.
 */
export async function runBridge(deps: ProgramDeps): Promise<number> {
  const { args, command, output, say } = deps;
  const [first = ""] = args;
  if (args.includes("--help") || first === "-h") return print(helpText(command), output);
  if (first === "--version") return print(`rport ${VERSION}\n`, output);
  if (first === "unknown" && args.length === 1) {
    say(unnamed());
    return EXIT.noClient;
  }
  const question = questionOf(args);
  if (question === undefined) {
    say(whyNot(args, command));
    return EXIT.usage;
  }
  const { clock, storages } = deps;
  const answer = await askEditors(question, { storages: await storages(), clock });
  const { exitCode, why } = answer.kind === "stopped" ? answer : await carryBy(answer, deps);
  if (why !== "") say(why);
  return exitCode;
}

/** Undefined for what cannot be meant. */
function questionOf(args: readonly string[]): Question | undefined {
  const [verb, called = "", place = "", ...rest] = args;
  if (verb === "unknown" && args.length === 2) {
    const asked = namingSchema.safeParse({ name: called }).data;
    return asked && { kind: "naming", asked };
  }
  if (verb !== "connect" || rest.length > 0) return undefined;
  const asked = openingSchema.safeParse({ client: called, ...parseHostPort(place) }).data;
  return asked && { kind: "opening", asked };
}

function whyNot([verb = "connect"]: readonly string[], command: string): string {
  const usage = t("Usage: {0}", `${command} ${USAGE}`);
  if (verb === "connect" || verb === "unknown") return usage;
  return `${t("There is no command {0}.", plainText(verb))} ${usage}`;
}

function unnamed(): string {
  return t(
    "ssh is told of no host of this name. Capitals count, and a host that has just come is told of in a moment.",
  );
}

/** Resolves when it was taken. */
function print(text: string, output: Writable): Promise<number> {
  return new Promise((resolve) => {
    output.once("error", () => resolve(EXIT.failed));
    output.end(text, () => resolve(EXIT.done));
  });
}

/** What the program answers in the end, and why; an empty sentence where both ends wanted it so. */
async function carryBy({ stream, failed }: Carried, deps: ProgramDeps) {
  const ended = join(stream, deps).then((isWhole) =>
    isWhole
      ? { exitCode: EXIT.done, why: "" }
      : { exitCode: EXIT.failed, why: t("The window that carried the connection was closed.") },
  );
  return Promise.race([failed, ended]);
}

/** Resolves when nothing more comes or goes: whether both directions ended as their ends wanted. */
function join(stream: FramedStream, { input, output }: ProgramDeps): Promise<boolean> {
  return new Promise((resolve) => {
    let isEnded = false;
    stream.once("end", () => {
      isEnded = true;
    });
    if (stream.closed) resolve(false);
    input.on("error", () => stream.destroy());
    // nobody reads any more what comes
    output
      .on("error", () => stream.destroy())
      .on("close", () => {
        if (!output.writableFinished) stream.destroy();
      });
    stream.once("close", () => {
      if (isEnded && !output.writableFinished && !output.destroyed) {
        output.once("finish", () => resolve(true)).once("close", () => resolve(true));
      } else resolve(isEnded);
    });
    input.pipe(stream);
    stream.pipe(output);
  });
}
