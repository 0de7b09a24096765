import type { Socket } from "node:net";
import type { RportError } from "@rport/protocol/errors";
import { t } from "@vscode/l10n";
import { type Clock, pause } from "../../support/clock.ts";
import { describeError } from "../../support/describeError.ts";
import { dialEditor } from "./dialEditor.ts";
import { EXIT, exitCodeOf } from "./exitCode.ts";
import { FramedStream } from "./framedStream.ts";
import { failureOf } from "./opening.ts";

/** A window that is being reloaded is back after a moment. */
const WAIT_MS = 5_000;
/** Between two looks for a window. */
const PAUSE_MS = 100;

/** What windows are asked: something of `opening.ts`, with what it is. */
export interface Question {
  readonly kind: "opening" | "naming";
  readonly asked: object;
}

/** Where editors are, and how long it is until one is. */
export interface Editors {
  /** The folders that the windows of each editor share; the first one is asked first. */
  readonly storages: readonly string[];
  readonly clock: Clock;
}

/** A connection that a window carries. */
export interface Carried {
  readonly kind: "carried";
  readonly stream: FramedStream;
  /** Resolves when the window says that it has failed; never otherwise. */
  readonly failed: Promise<Stopped>;
}

/** Why none is carried, or no longer: a sentence, and what the program answers. */
export interface Stopped {
  readonly kind: "stopped";
  readonly exitCode: number;
  readonly why: string;
}

/** What one editor came to, or none. */
type Answer = Carried | Stopped | "hungUp" | "nobody";

/** Another editor of the same person may know the client, or be signed in. */
const ELSEWHERE: readonly number[] = [EXIT.noClient, EXIT.signedOut];

/**
 * Has a window carry what is asked for: of the first editor that knows the client and is signed in. A window that
 * hangs up before it has said anything is being closed or reloaded: then it is asked again, for as long as one is
 * waited for.
 */
export async function askEditors(question: Question, editors: Editors): Promise<Carried | Stopped> {
  const { storages, clock } = editors;
  if (storages.length === 0) return noEditor();
  const untilMs = clock.monotonic() + WAIT_MS;
  for (;;) {
    const answer = await askEach(question, editors);
    if (answer !== "hungUp" && answer !== "nobody") return answer;
    if (clock.monotonic() >= untilMs) return answer === "nobody" ? noWindow() : otherVersion();
    await pause(PAUSE_MS, clock);
  }
}

async function askEach(question: Question, { storages, clock }: Editors): Promise<Answer> {
  const answers: Answer[] = [];
  for (const storage of storages) {
    const answer = await askOne(question, storage, clock);
    const isElsewhere =
      typeof answer === "string" ||
      (answer.kind === "stopped" && ELSEWHERE.includes(answer.exitCode));
    if (!isElsewhere) return answer;
    answers.push(answer);
  }
  if (answers.includes("hungUp")) return "hungUp";
  const stopped = answers.filter((answer) => typeof answer !== "string");
  const isSignedOut = (answer: Carried | Stopped) =>
    answer.kind === "stopped" && answer.exitCode === EXIT.signedOut;
  return stopped.find(isSignedOut) ?? stopped[0] ?? "nobody";
}

async function askOne(question: Question, storage: string, clock: Clock): Promise<Answer> {
  try {
    const socket = await dialEditor(storage, clock);
    return socket === undefined ? "nobody" : await ask(question, socket);
  } catch (error) {
    return stopped(EXIT.failed, describeError(error));
  }
}

async function ask({ kind, asked }: Question, socket: Socket): Promise<Answer> {
  const { promise: ready, resolve: isReady } = Promise.withResolvers<"ready" | "hungUp">();
  const { promise: failed, resolve: fail } = Promise.withResolvers<Stopped>();
  const stream = new FramedStream(socket, (said) => {
    if (said.kind === "ready") isReady("ready");
    else fail(stoppedBy(failureOf(said.text)));
  });
  stream.on("error", () => stream.destroy());
  stream.once("close", () => isReady("hungUp"));
  stream.say(kind, JSON.stringify(asked));
  const said = await Promise.race([failed, ready]);
  return said === "ready" ? { kind: "carried", stream, failed } : said;
}

function stopped(exitCode: number, why: string): Stopped {
  return { kind: "stopped", exitCode, why };
}

function stoppedBy({ code, message }: RportError): Stopped {
  return stopped(exitCodeOf(code), message);
}

function noEditor(): Stopped {
  const why = t(
    "No editor of yours has RPort. Where yours keeps its data in another place than usual, RPORT_STORAGE has to say where.",
  );
  return stopped(EXIT.noWindow, why);
}

function noWindow(): Stopped {
  const why = t("No window of the editor is open: open VS Code and sign in to the server.");
  return stopped(EXIT.noWindow, why);
}

function otherVersion(): Stopped {
  const why = t(
    "The editor hung up: it may have another version of RPort than this program. Reload its windows.",
  );
  return stopped(EXIT.failed, why);
}
