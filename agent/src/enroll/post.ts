import { type RequestOptions, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { answerTo } from "@rport/protocol/asking/boundedHead";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import { trustedAuthorities } from "../connection/authorities.ts";
import { routeTo } from "../connection/proxy.ts";

/** From the first packet to the last byte of the answer. */
const ANSWER_MS = 10_000;
/** An envelope has at most about 9 kB. */
const ANSWER_MAX_BYTES = 64 << 10;

/** An HTTP answer, whatever its status. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** How somebody is asked. */
export interface Manner {
  readonly userAgent: string;
  /** What the TLS key has to be; empty: what the certificate says counts. */
  readonly pins: readonly TlsPin[];
}

/**
 * Posts JSON, through the proxy that the environment names. Follows no redirect. Rejects when there
 * is no whole answer in time.
 */
export async function postJson(url: URL, body: object, manner: Manner): Promise<HttpAnswer> {
  const text = JSON.stringify(body);
  const headers = {
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(text),
    "User-Agent": manner.userAgent,
    Accept: "application/json",
  };
  return ask(url, { method: "POST", headers, text, pins: manner.pins });
}

/** Gets a text, in the same way. */
export async function getText(url: URL, { userAgent, pins }: Manner): Promise<HttpAnswer> {
  return ask(url, { method: "GET", headers: { "User-Agent": userAgent }, text: "", pins });
}

interface Question extends Pick<RequestOptions, "method" | "headers">, Pick<Manner, "pins"> {
  readonly text: string;
}

async function ask(url: URL, { pins, text, ...options }: Question): Promise<HttpAnswer> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  const authorities = url.protocol === "https:" ? await trustedAuthorities() : undefined;
  const agent = await routeTo(url, { configured: "", pins, signal });
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  const all = { ...options, agent: agent ?? false, ca: authorities, signal };
  const answer = await answerTo(request(url, all), text);
  return { status: answer.statusCode ?? 0, body: await collect(answer) };
}

async function collect(answer: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > ANSWER_MAX_BYTES) throw new Error("the answer is too long");
  }
  return Buffer.concat(chunks).toString("utf8");
}
