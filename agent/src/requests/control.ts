import { longRequestSchema, type RequestEnded } from "@rport/protocol/agent";
import { parseJsonPayload } from "@rport/protocol/wire/jsonPayload";
import { peerText, RequestRefused } from "@rport/protocol/wire/wireError";
import type { CredentialStore } from "../config/credentialStore.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Terminals } from "../terminal/terminals.ts";
import type { TunnelRule } from "../tunnels/allow.ts";
import type { Lookup } from "../tunnels/target.ts";
import { withEffort } from "./effort.ts";
import type { ListeningDeps } from "./listeningPorts.ts";
import { LongRequests } from "./longRequests.ts";
import { requestTable } from "./requestTable.ts";
import type { Result, ServerRequest, Work } from "./serverRequest.ts";
import { whyUnknown } from "./whyUnknown.ts";

/** Longest part of a request's name that is logged. */
const SHOWN_CHARACTERS = 40;
const REFUSED = "refused a request of the server";

/** What a connection's answers need. */
export interface ControlDeps extends Pick<ListeningDeps, "listeners" | "tells"> {
  readonly rules: readonly TunnelRule[];
  readonly resolve: Lookup;
  readonly credentials: CredentialStore;
  readonly terminals: Terminals;
  readonly clock: Clock;
  readonly log: Log;
  /** Signs the server's challenge; undefined: this host has no key. */
  readonly proveHostKey?: ((nonce: string) => string) | undefined;
  /** Told whenever the server says that a person is being asked about this host. */
  onHeld(): void;
  /** Told once the server has said which extensions it speaks, too. */
  onFeatures(agreed: ReadonlySet<string>): void;
  /** Tells the server how a request ended that was accepted. */
  onEnded(ended: RequestEnded): void;
}

/** Answers the server's requests on one connection, by the table of them. */
export class Control {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #requests: ReadonlyMap<string, ServerRequest>;
  readonly #long: LongRequests;
  readonly #over = new AbortController();
  #features: ReadonlySet<string> = new Set();

  constructor(deps: ControlDeps) {
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#requests = requestTable({
      rules: deps.rules,
      resolve: deps.resolve,
      listeners: deps.listeners,
      tells: deps.tells,
      credentials: deps.credentials,
      terminals: deps.terminals,
      log: deps.log,
      prove: deps.proveHostKey,
      onHeld: () => deps.onHeld(),
      onFeatures: (agreed) => {
        this.#features = agreed;
        deps.onFeatures(agreed);
      },
    });
    this.#long = new LongRequests({
      clock: deps.clock,
      onEnded: (ended) => {
        if (!ended.ok) this.#log.info(REFUSED, { reason: ended.error });
        deps.onEnded(ended);
      },
      onFault: (error) => deps.log.error("a request failed", { error: String(error) }),
    });
  }

  /** The success payload; throws `RequestRefused` with the text for the server, and logs it. */
  async answer(name: string, payload: Buffer): Promise<Buffer | undefined> {
    try {
      return await this.#answer(name, payload);
    } catch (error) {
      if (error instanceof RequestRefused) {
        const request = peerText(name).slice(0, SHOWN_CHARACTERS);
        this.#log.info(REFUSED, { request, reason: error.message });
      }
      throw error;
    }
  }

  /** The connection has ended: nobody waits for an answer any more. */
  end(): void {
    this.#over.abort(new Error("the connection has ended"));
    this.#long.end();
  }

  async #answer(name: string, payload: Buffer): Promise<Buffer | undefined> {
    const request = this.#known(name);
    if (payload.length > request.limits.bytes) {
      throw new RequestRefused("the request is too large");
    }
    const body = parseJsonPayload(payload, request.limits.bytes);
    const work = request.read(body);
    const id = longIdOf(body);
    const { ms } = request.limits;
    const isLong = ms !== undefined && id !== undefined;
    return toJson(isLong ? this.#long.accept(id, work) : await this.#inTurn(ms, work));
  }

  #known(name: string): ServerRequest {
    const request = this.#requests.get(name);
    const { feature } = request ?? {};
    const isKnown = feature === undefined || this.#features.has(feature);
    if (request === undefined || !isKnown) throw new RequestRefused(whyUnknown(name));
    return request;
  }

  async #inTurn(maxMs: number | undefined, work: Work): Promise<Result> {
    const { signal } = this.#over;
    if (maxMs === undefined) return await work({ maxMs: Number.POSITIVE_INFINITY, signal });
    return await withEffort({ clock: this.#clock, maxMs, signal }, work);
  }
}

/** Servers say only to agents that listed `long-requests` that the end may come later. */
function longIdOf(body: unknown): string | undefined {
  return longRequestSchema.safeParse(body).data?.long_id;
}

function toJson(result: Result): Buffer | undefined {
  return result === undefined ? undefined : Buffer.from(JSON.stringify(result));
}
