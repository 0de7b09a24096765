import type { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { RportError } from "@rport/protocol/errors";
import { parseHostPort } from "@rport/protocol/remote";
import { t } from "@vscode/l10n";
import { type Clock, pause } from "../../support/clock.ts";
import { describeError } from "../../support/describeError.ts";
import { dialEditor, PAUSE_MS } from "./dialEditor.ts";
import { FramedStream } from "./framedStream.ts";
import { type Opening, openingSchema } from "./opening.ts";

/** What a program answers to whoever called it when it has failed; `ssh` answers the same. */
export const FAILED = 255;

/** A window that is being reloaded is back after a moment. */
const WAIT_MS = 5_000;

/** What the bridge works with. */
export interface ProgramDeps {
  readonly args: readonly string[];
  /** The folder that all windows of the editor share; empty when nobody has said it. */
  readonly storage: string;
  /** How somebody calls this program; empty when it was not said. */
  readonly command: string;
  readonly clock: Clock;
  readonly input: Readable;
  readonly output: Writable;
  /** Says one sentence to whoever called. */
  readonly say: (sentence: string) => void;
}

/**
 * `connect CLIENT [HOST:]PORT`: carries input and output to a port of a client, or of a host behind it, by way
 * of a window of the editor, which signs in. Answers the exit code: 0, or 255 after one sentence.
 */
export async function runBridge(deps: ProgramDeps): Promise<number> {
  try {
    const opening = openingOf(deps);
    if (deps.storage === "") throw new Error(t("RPORT_STORAGE does not say where the editor is."));
    const why = await carryBy(await openBy(opening, deps), deps);
    if (why === undefined) return 0;
    deps.say(why);
  } catch (error) {
    deps.say(describeError(error));
  }
  return FAILED;
}

/** A connection that a window carries. */
interface Carried {
  readonly stream: FramedStream;
  /** Resolves with a sentence when the window says that it has failed; never otherwise. */
  readonly failed: Promise<string>;
}

/**
 * Has a window carry the connection. One that hangs up before it has said anything is being closed or reloaded:
 * then the next one is asked, for as long as one is waited for. Throws a sentence.
 */
async function openBy(opening: Opening, { storage, clock }: ProgramDeps): Promise<Carried> {
  const untilMs = clock.monotonic() + WAIT_MS;
  for (;;) {
    const carried = await ask(opening, await dialEditor({ storage, clock, untilMs }));
    if (carried !== undefined) return carried;
    if (clock.monotonic() >= untilMs) throw new Error(OTHER_VERSION);
    await pause(PAUSE_MS, clock);
  }
}

/** Undefined when the window hung up. Throws the sentence that it says. */
async function ask(opening: Opening, socket: Socket): Promise<Carried | undefined> {
  const { promise: ready, resolve: isReady } = Promise.withResolvers<boolean>();
  const { promise: failed, resolve: fail } = Promise.withResolvers<string>();
  const stream = new FramedStream(socket, ({ kind, text }) => {
    if (kind === "ready") isReady(true);
    else fail(text);
  });
  stream.on("error", () => stream.destroy());
  stream.once("close", () => isReady(false));
  stream.say("opening", JSON.stringify(opening));
  const said = await Promise.race([failed, ready]);
  if (typeof said === "string") throw new RportError("UNAVAILABLE", said);
  return said ? { stream, failed } : undefined;
}

/** Answers why it did not end as both ends wanted; undefined when it did. */
async function carryBy(
  { stream, failed }: Carried,
  deps: ProgramDeps,
): Promise<string | undefined> {
  const ended = join(stream, deps).then((isWhole) =>
    isWhole ? undefined : t("The window that carried the connection was closed."),
  );
  return Promise.race([failed, ended]);
}

const OTHER_VERSION = t(
  "The editor hung up: it may have another version of RPort than this program. Reload its windows.",
);

/** Throws a sentence for what cannot be meant. */
function openingOf({ args, command }: ProgramDeps): Opening {
  const [verb, client = "", place = "", ...rest] = args;
  const remote = parseHostPort(place);
  const opening = openingSchema.safeParse({ client, ...remote }).data;
  if (verb === "connect" && rest.length === 0 && opening !== undefined) return opening;
  throw new Error(t("Usage: {0}", `${command} connect CLIENT [HOST:]PORT`.trim()));
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
