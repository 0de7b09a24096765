import { RportError } from "@rport/protocol/errors";
import type { EndpointCall, EndpointName, EndpointOutput } from "@rport/protocol/http";
import type { RequestParts } from "@rport/protocol/local/oneConnection";
import { errorOf, restAnswer, restRequest } from "@rport/protocol/restClient";
import type { ServerStatus } from "@rport/protocol/serverStatus";
import { t } from "@vscode/l10n";
import { describeNetworkError } from "../support/describeError.ts";
import type { AccessSource, ReadyAccess } from "./access.ts";
import { addressBelow } from "./address.ts";
import { boundedAnswer } from "./boundedAnswer.ts";

/** An answer of the REST API takes at most this long; rotation waits up to 10 s for agents. */
const TIMEOUT_MS = 30_000;
/** The longest that a server of many thousand hosts has to say at once is a few megabytes. */
const ANSWER_MAX_BYTES = 12 << 20;
/** What each connection asks by itself, without a person who waits for it, is answered shortly. */
const UNASKED_MAX_BYTES = 64 << 10;
const UNASKED: ReadonlySet<EndpointName> = new Set(["getMe", "getStatus"]);

/** What is asked, beside where. */
type Asked = Omit<RequestParts, "signal">;

/** All that is asked of a `fetch` here. Another answer than the server's own, to which it sends on, is an error. */
export type ApiFetch = (
  url: string,
  asked: {
    readonly method: string;
    readonly headers: Record<string, string>;
    readonly body: string | null;
    readonly redirect: "error";
    readonly signal: AbortSignal;
  },
) => Promise<Response>;

/** What the client needs from its surroundings. */
export interface ApiDeps {
  readonly access: AccessSource;
  /** The editor's own `fetch` knows its proxy and certificate settings. */
  readonly fetch: ApiFetch;
}

/** What a server says of itself, and how. */
export interface Answer {
  readonly status: ServerStatus;
  /** From the question to the answer, in milliseconds. */
  readonly tookMs: number;
  /** The server's clock, since the epoch; undefined: it does not tell. */
  readonly atMs: number | undefined;
}

/** A typed client of the REST API, driven by the endpoint table. */
export class Api {
  readonly #access: AccessSource;
  readonly #fetch: ApiFetch;

  constructor({ access, fetch }: ApiDeps) {
    this.#access = access;
    this.#fetch = fetch;
  }

  /**
   * Calls an endpoint and answers what stands in `data`. Throws `RportError`: with the server's own
   * code and words, `UNAUTHORIZED` without a token, `UNAVAILABLE` when the server cannot be
   * reached.
   */
  async call<N extends EndpointName>(
    name: N,
    call: EndpointCall<N> = {},
  ): Promise<EndpointOutput<N>> {
    const response = await this.#send(name, call);
    if (response.status === 429) throw await tooMany(response);
    return restAnswer(name, response);
  }

  /** The server's status, with what the answer itself says of the way there. Throws as `call` does. */
  async ask(): Promise<Answer> {
    const startMs = performance.now();
    const response = await this.#send("getStatus", {});
    const status = await restAnswer("getStatus", response);
    const atMs = Date.parse(response.headers.get("date") ?? "");
    const tookMs = performance.now() - startMs;
    return { status, tookMs, atMs: Number.isNaN(atMs) ? undefined : atMs };
  }

  /**
   * The text at a path of the server; at most `maxBytes`, beyond which nothing is read. Whatever address the path came
   * with, only the server itself is asked.
   */
  async text(path: string, maxBytes: number): Promise<string> {
    const access = await this.#ready();
    const response = await this.#exchange(access, path, { method: "GET", headers: {}, maxBytes });
    if (!response.ok) throw await errorOf(response);
    return await response.text();
  }

  async #send<N extends EndpointName>(name: N, call: EndpointCall<N>): Promise<Response> {
    const access = await this.#ready();
    const { path, method, body, headers: given } = restRequest(name, call);
    const { authorization } = access;
    const headers = authorization === "" ? given : { ...given, authorization };
    const maxBytes = UNASKED.has(name) ? UNASKED_MAX_BYTES : ANSWER_MAX_BYTES;
    return this.#exchange(access, path, { method, headers, body, maxBytes });
  }

  async #ready(): Promise<ReadyAccess> {
    const access = await this.#access();
    if (access.kind === "noToken") {
      const why = access.why ?? t("You are not signed in to this server.");
      throw new RportError("UNAUTHORIZED", why);
    }
    if (access.kind === "unavailable") throw new RportError("UNAVAILABLE", access.reason);
    return access;
  }

  async #exchange(
    access: ReadyAccess,
    path: string,
    { maxBytes, ...parts }: Asked & { readonly maxBytes: number },
  ): Promise<Response> {
    try {
      return await boundedAnswer(await this.#answer(access, path, parts), maxBytes);
    } catch (error) {
      if (error instanceof RportError) throw error;
      const reason = describeNetworkError(error);
      throw new RportError(
        "UNAVAILABLE",
        t("Cannot reach {0}: {1}.", new URL(access.url).host, reason),
        {
          cause: error,
        },
      );
    }
  }

  async #answer(
    { url, connection }: ReadyAccess,
    path: string,
    { method, headers, body }: Asked,
  ): Promise<Response> {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    if (connection !== undefined) {
      const last = { ...headers, connection: "close" };
      const { pathname, search } = addressBelow(url, path);
      return await connection.send(pathname + search, { method, headers: last, body, signal });
    }
    // a redirect could carry the token to another host
    const redirect = "error";
    const init = { method, headers: { ...headers }, body: body ?? null, redirect, signal } as const;
    return await this.#fetch(addressBelow(url, path).href, init);
  }
}

/** Too many tries, with how long to wait in words. */
async function tooMany(response: Response): Promise<RportError> {
  const { message, detail } = await errorOf(response);
  const seconds = Number(response.headers.get("retry-after"));
  const isTold = !(seconds > 0) || /\d ?s/.test(`${message} ${detail}`);
  const title = isTold ? message : `${message} ${t("Try again in {0} s.", seconds)}`;
  return new RportError("TOO_MANY_REQUESTS", title, { detail });
}
