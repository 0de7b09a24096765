import type { Socket } from "node:net";
import type { RportError } from "@rport/protocol/errors";
import { t } from "@vscode/l10n";
import { type Clock, pause } from "../../support/clock.ts";
import { describeError } from "../../support/describeError.ts";
import { isSeatLeft } from "../../tunnels/sharing/seat.ts";
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

/** Who is there is no window of this person, or cannot be talked to. */
export interface Unmet {
  readonly kind: "unmet";
  readonly why: string;
}

/** What one editor came to. */
export type Answer = Carried | Stopped | Unmet | "hungUp" | "nobody";

/** An editor, and what it came to the last time. */
interface Asked {
  readonly storage: string;
  readonly answer: Answer;
  /** How often it has hung up. */
  readonly hangUps: number;
}

/** Another editor of the same person may know the client, or be signed in. */
const ELSEWHERE: readonly number[] = [EXIT.noClient, EXIT.signedOut];

/**
 * Has a window carry what is asked for: of the first editor that knows the client and is signed in. A window that
 * is being closed or reloaded is asked again, for as long as one is waited for: one that hangs up before it has said
 * anything, or that was there a moment ago. Where none carries it, that one is heard that comes closest.
 */
export async function askEditors(question: Question, editors: Editors): Promise<Carried | Stopped> {
  const { storages, clock } = editors;
  if (storages.length === 0) return noEditor();
  const beganAtMs = clock.now();
  const untilMs = clock.monotonic() + WAIT_MS;
  let asked: readonly Asked[] = storages.map((storage) => ({
    storage,
    answer: "nobody",
    hangUps: 0,
  }));
  for (;;) {
    const answered = await askEach(question, asked, clock);
    if ("kind" in answered) return answered;
    asked = answered;
    const isOver = clock.monotonic() >= untilMs;
    if (isOver || !(await isAwaited(asked, beganAtMs - WAIT_MS))) return closestOf(asked);
    await pause(PAUSE_MS, clock);
  }
}

/** Asks those who have said nothing yet, until one has said what no other will say better. */
async function askEach(question: Question, before: readonly Asked[], clock: Clock) {
  const asked: Asked[] = [];
  for (const each of before) {
    const { storage } = each;
    const isMute = typeof each.answer === "string";
    const answer = isMute ? await askEditor(question, storage, clock) : each.answer;
    if (isLast(answer)) return answer;
    asked.push({ storage, answer, hangUps: each.hangUps + (answer === "hungUp" ? 1 : 0) });
  }
  return asked;
}

function isLast(answer: Answer): answer is Carried | Stopped {
  if (typeof answer === "string" || answer.kind === "unmet") return false;
  return answer.kind === "carried" || !ELSEWHERE.includes(answer.exitCode);
}

/** Whether one of them may say more in a moment: each of them while none has said anything. */
async function isAwaited(asked: readonly Asked[], sinceMs: number): Promise<boolean> {
  if (asked.every(({ answer }) => typeof answer === "string")) return true;
  for (const { storage, answer, hangUps } of asked) {
    // one of another version hangs up each time
    if (answer === "hungUp" && hangUps === 1) return true;
    if (answer === "nobody" && (await isSeatLeft(storage, sinceMs))) return true;
  }
  return false;
}

function closestOf(asked: readonly Asked[]): Stopped {
  const answers = asked.map(({ answer }) => answer);
  const said = answers.filter((answer) => typeof answer !== "string");
  for (const exitCode of [EXIT.signedOut, EXIT.noClient]) {
    const found = said.find((each) => each.kind === "stopped" && each.exitCode === exitCode);
    if (found?.kind === "stopped") return found;
  }
  const unmet = said.find(({ kind }) => kind === "unmet");
  if (unmet?.kind === "unmet") return stopped(EXIT.failed, unmet.why);
  return answers.includes("hungUp") ? otherVersion() : noWindow();
}

/** Asks the window of one editor, by the folder that its windows share. */
export async function askEditor(
  question: Question,
  storage: string,
  clock: Clock,
): Promise<Answer> {
  try {
    const socket = await dialEditor(storage, clock);
    return socket === undefined ? "nobody" : await ask(question, socket);
  } catch (error) {
    return { kind: "unmet", why: describeError(error) };
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
