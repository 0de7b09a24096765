import { type IncomingMessage, type OutgoingHttpHeaders, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { answerTo } from "@rport/protocol/asking/boundedHead";
import { whyTooMuchJson } from "@rport/protocol/asking/jsonSize";
import { serviceTrouble } from "./serviceTrouble.ts";

/** An answer is there within this, unless the question says otherwise. */
const ANSWER_MS = 5_000;
const ANSWER_MAX_BYTES = 65_536;
/** Members and items of all that is in it. */
const ANSWER_MAX_MEMBERS = 1_000;
/** Some services turn away whoever says nothing of itself. */
const USER_AGENT = "rport-backend";

/** What is asked of a pairing service. */
export interface ServiceQuestion {
  /** Its configured address, which messages name. */
  readonly url: string;
  /** Below that address. */
  readonly path: string;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Sent as JSON, but bytes as they are. */
  readonly body?: unknown;
  /** Goes into `Authorization: Bearer`. */
  readonly bearer?: string | undefined;
  readonly userAgent?: string;
  readonly answerMs?: number;
  readonly maxBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

/** What it answered, whatever the status. */
export interface ServiceAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * Asks a pairing service. Follows no redirect, checks certificates, and reads a bounded answer, with a
 * bound on what comes before it, too. Rejects with `PAIRING_SERVICE` when there is none, and with the
 * signal's reason when that fires.
 */
export async function askService(question: ServiceQuestion): Promise<ServiceAnswer> {
  const { url, path, method, signal, answerMs = ANSWER_MS } = question;
  const timeout = AbortSignal.timeout(answerMs);
  const signals = signal === undefined ? [timeout] : [timeout, signal];
  try {
    const whole = new URL(url.replace(/\/+$/, "") + path);
    const { headers, content } = requestOf(question);
    const request = whole.protocol === "https:" ? requestHttps : requestHttp;
    const options = { method, headers, signal: AbortSignal.any(signals) };
    // not `fetch`, which takes answers in advance (status 1xx) for as long as they come
    const response = await answerTo(request(whole, options), content);
    const text = await readAtMost(response, question.maxBytes ?? ANSWER_MAX_BYTES);
    return { status: response.statusCode ?? 0, text };
  } catch (cause) {
    if (signal?.aborted === true) throw signal.reason;
    throw serviceTrouble(url, timeout.aborted ? "timeout" : "unreachable", { cause });
  }
}

/**
 * The answer's JSON. Throws `PAIRING_SERVICE` when it is empty or something else, or has more members
 * and items than it may.
 */
export function jsonOf(
  { text }: ServiceAnswer,
  url: string,
  maxMembers = ANSWER_MAX_MEMBERS,
): unknown {
  if (text.trim() === "") throw serviceTrouble(url, "empty");
  if (whyTooMuchJson(Buffer.from(text), maxMembers) !== undefined) {
    throw serviceTrouble(url, "not-json");
  }
  try {
    return JSON.parse(text);
  } catch {
    throw serviceTrouble(url, "not-json");
  }
}

function requestOf({ body, bearer, userAgent = USER_AGENT }: ServiceQuestion) {
  const headers: OutgoingHttpHeaders = { accept: "*/*", "user-agent": userAgent };
  if (bearer !== undefined) headers.authorization = `Bearer ${bearer}`;
  if (body === undefined) return { headers, content: "" };
  if (body instanceof Uint8Array) return { headers, content: body };
  headers["content-type"] = "application/json";
  return { headers, content: JSON.stringify(body) };
}

async function readAtMost(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of response) {
    total += chunk.length;
    if (total > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
