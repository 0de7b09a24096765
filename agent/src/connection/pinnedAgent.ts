import { Agent } from "node:https";
import type { Duplex } from "node:stream";
import { connectPinned } from "@rport/protocol/tls/peerPin";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";

/** An agent for one request to a server that is recognised by its TLS key, without a proxy. */
export class PinnedAgent extends Agent {
  readonly #url: URL;
  readonly #pins: readonly TlsPin[];

  constructor(url: URL, pins: readonly TlsPin[]) {
    super();
    this.#url = url;
    this.#pins = pins;
  }

  /** The agent's own: hands the connection over only when the other end has proven its key. */
  override createConnection(
    _options: unknown,
    done?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const { hostname, port } = this.#url;
    const host = hostname.replace(/^\[|\]$/g, "");
    const place = { host, port: Number(port || 443), pins: this.#pins };
    connectPinned(place, (error, socket) => done?.(error ?? null, socket));
    return undefined;
  }
}
