import { serviceTrouble } from "./serviceTrouble.ts";

/** An answer is there within this, unless the question says otherwise. */
const ANSWER_MS = 5_000;
const ANSWER_MAX_BYTES = 65_536;

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
  readonly signal?: AbortSignal;
}

/** What it answered, whatever the status. */
export interface ServiceAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * Asks a pairing service. Follows no redirect, checks certificates, and reads a bounded answer. Rejects
 * with `PAIRING_SERVICE` when there is none, and with the signal's reason when that fires.
 */
export async function askService(question: ServiceQuestion): Promise<ServiceAnswer> {
  const { url, path, method, signal, answerMs = ANSWER_MS } = question;
  const timeout = AbortSignal.timeout(answerMs);
  const signals = signal === undefined ? [timeout] : [timeout, signal];
  try {
    const response = await fetch(url.replace(/\/+$/, "") + path, {
      method,
      redirect: "manual",
      signal: AbortSignal.any(signals),
      ...requestOf(question),
    });
    const text = await readAtMost(response, question.maxBytes ?? ANSWER_MAX_BYTES);
    return { status: response.status, text };
  } catch (cause) {
    if (signal?.aborted === true) throw cause;
    throw serviceTrouble(url, timeout.aborted ? "timeout" : "unreachable", { cause });
  }
}

/** The answer's JSON. Throws `PAIRING_SERVICE` when it is empty or something else. */
export function jsonOf({ text }: ServiceAnswer, url: string): unknown {
  if (text.trim() === "") throw serviceTrouble(url, "empty");
  try {
    return JSON.parse(text);
  } catch {
    throw serviceTrouble(url, "not-json");
  }
}

function requestOf({ body, bearer, userAgent }: ServiceQuestion) {
  const headers = new Headers();
  if (userAgent !== undefined) headers.set("User-Agent", userAgent);
  if (bearer !== undefined) headers.set("Authorization", `Bearer ${bearer}`);
  if (body === undefined) return { headers };
  if (body instanceof Uint8Array) return { headers, body: new Uint8Array(body) };
  headers.set("Content-Type", "application/json");
  return { headers, body: JSON.stringify(body) };
}

async function readAtMost(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of response.body ?? []) {
    total += chunk.length;
    if (total > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
