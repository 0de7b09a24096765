import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import {
  isBadRequest,
  isPostgresAnswer,
  kindOf,
  POSTGRES_QUESTION,
  questionFor,
  type ServiceKind,
} from "../model/tunnels/greeting.ts";

/** How long a service gets to say something by itself, and to answer, in milliseconds. */
export interface Patience {
  readonly greetingMs: number;
  readonly answerMs: number;
}

const USUAL: Patience = { greetingMs: 1_000, answerMs: 4_000 };
/** Some servers look at the name that they are asked by. */
const HEAD = Buffer.from(
  "HEAD / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nConnection: close\r\n\r\n",
);
/** The first bytes say it, or nothing does. */
const FIRST_BYTES = 512;

/**
 * What is at the other end of a port of this computer: what it says by itself, else what it answers to a
 * question that is harmless on `remotePort`, its port on the host. Undefined: it is silent, or not
 * there. Never rejects.
 */
export async function lookAt(
  localPort: number,
  remotePort: number,
  { greetingMs, answerMs }: Patience = USUAL,
): Promise<ServiceKind | undefined> {
  const question = questionFor(remotePort);
  if (question === "https") return await secureKind(localPort, answerMs);
  const ask = { question: questionBytes(question), answerMs, greetingMs };
  const { greeting, answer } = await talk(localPort, ask);
  if (greeting.length > 0) return kindOf(greeting);
  if (question === "postgres") return isPostgresAnswer(answer) ? "postgres" : kindOf(answer);
  if (question === "nothing") return undefined;
  return await judged(answer, () => tlsKind(localPort, answerMs));
}

/** Where TLS is usual it is tried first, then plain HTTP. */
async function secureKind(port: number, answerMs: number): Promise<ServiceKind | undefined> {
  const found = await tlsKind(port, answerMs);
  if (found !== undefined) return found;
  const { answer } = await talk(port, { question: HEAD, answerMs, greetingMs: 0 });
  return kindOf(answer);
}

/** Whoever wants TLS says 400 to plain HTTP, or an alert, or nothing. */
async function judged(answer: Buffer, ofTls: () => Promise<ServiceKind | undefined>) {
  const kind = kindOf(answer);
  const mayBeTls = kind === undefined || kind === "tls" || isBadRequest(answer);
  return mayBeTls ? ((await ofTls()) ?? kind) : kind;
}

function questionBytes(question: "postgres" | "http" | "nothing"): Buffer | undefined {
  if (question === "postgres") return POSTGRES_QUESTION;
  return question === "http" ? HEAD : undefined;
}

interface Talk {
  /** Undefined: it is only listened to. */
  readonly question: Buffer | undefined;
  readonly greetingMs: number;
  readonly answerMs: number;
}

/** What is said before the question, and after it; both may be empty. */
async function talk(port: number, { question, greetingMs, answerMs }: Talk) {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  try {
    const greeting = await firstBytes(socket, greetingMs);
    if (greeting.length > 0 || question === undefined || socket.destroyed) {
      return { greeting, answer: Buffer.alloc(0) };
    }
    socket.write(question);
    return { greeting, answer: await firstBytes(socket, answerMs) };
  } finally {
    socket.destroy();
  }
}

/** The bytes that come first, as far as they come at once; empty when none do in time, or never. */
function firstBytes(socket: Socket, withinMs: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const done = (chunk: Buffer = Buffer.alloc(0)) => {
      clearTimeout(timer);
      socket.off("data", done).off("close", none).off("end", none);
      resolve(chunk.subarray(0, FIRST_BYTES));
    };
    const none = () => done();
    const timer = setTimeout(none, withinMs);
    socket.on("data", done).on("close", none).on("end", none);
  });
}

/** `https` or `tls` where TLS is spoken, whoever signed the certificate; it is only looked at, not used. */
function tlsKind(port: number, answerMs: number): Promise<ServiceKind | undefined> {
  return new Promise((resolve) => {
    const socket = connectTls({
      port,
      host: "127.0.0.1",
      servername: "localhost",
      rejectUnauthorized: false,
      ALPNProtocols: ["http/1.1"],
    });
    const timer = setTimeout(() => finish(undefined), answerMs);
    const finish = (kind: ServiceKind | undefined) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(kind);
    };
    socket.on("error", (error) => finish(isAlert(error) ? "tls" : undefined));
    socket.on("close", () => finish(undefined));
    socket.once("secureConnect", () => {
      socket.write(HEAD);
      void firstBytes(socket, answerMs).then((answer) =>
        finish(kindOf(answer) === "http" ? "https" : "tls"),
      );
    });
  });
}

/** Who answers with an alert speaks TLS, and only did not like who asked. */
function isAlert(error: Error & { readonly code?: string }): boolean {
  return /ALERT/.test(error.code ?? "");
}
