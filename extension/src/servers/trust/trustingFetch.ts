import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { boundHead } from "@rport/protocol/asking/boundedHead";
import type { ApiFetch } from "../../api/http.ts";
import type { Authorities } from "./authorities.ts";

/** Answers that have no body by their status. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * A `fetch` that also believes whom `authorities` names. With nobody named it is the editor's own; otherwise a request
 * of Node, which the editor sends through its proxy too. A redirection is an error in both.
 */
export function trustingFetch(usual: ApiFetch, authorities: Pick<Authorities, "get">): ApiFetch {
  return async (url, asked) => {
    const ca = url.startsWith("https:") ? await authorities.get() : undefined;
    return ca === undefined ? await usual(url, asked) : await send(url, asked, ca);
  };
}

/** What is asked. */
type Asked = Parameters<ApiFetch>[1];

function send(url: string, asked: Asked, ca: readonly string[]): Promise<Response> {
  const { method, headers: given, body, signal } = asked;
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const length = body === null ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const headers = { ...given, ...length };
  const started = request(url, { method, headers, ca: [...ca], signal });
  started.once("response", (message) => {
    const status = message.statusCode ?? 0;
    if (status >= 300 && status < 400 && status !== 304) {
      message.destroy();
      reject(new Error("unexpected redirect"));
    } else resolve(toResponse(message, status));
  });
  started.on("error", reject);
  boundHead(started, ["response"]).end(body ?? undefined);
  return promise;
}

function toResponse(message: IncomingMessage, status: number): Response {
  const headers = new Headers();
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers.set(name, String(value));
  }
  if (status < 200 || BODILESS.has(status)) {
    message.resume();
    return new Response(null, { status: 204, headers });
  }
  const body: ReadableStream<Uint8Array> = Readable.toWeb(message);
  return new Response(body, { status, headers });
}
