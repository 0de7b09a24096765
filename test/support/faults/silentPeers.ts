import { WebSocket } from "ws";

/** The subprotocol that agents ask for; the server does not repeat it, so it is a header here. */
export const AGENT_HEADERS = { "Sec-WebSocket-Protocol": "rport-v1" } as const;

/** Sockets at the agents' door that were let in, or not, and say nothing by themselves. */
export class SilentPeers implements Disposable {
  readonly #url: string;
  readonly #sockets: WebSocket[] = [];

  /** `url`: `ws://host:port`. */
  constructor(url: string) {
    this.#url = url;
  }

  /** How many are open. */
  get open(): number {
    return this.#sockets.filter(({ readyState }) => readyState === WebSocket.OPEN).length;
  }

  /** Opens so many from an address of this machine; resolves when each was answered. */
  async add(count: number, from = "127.0.0.1"): Promise<void> {
    const options = { headers: AGENT_HEADERS, perMessageDeflate: false, localAddress: from };
    const opened = Array.from({ length: count }, async () => {
      const ws = new WebSocket(this.#url, options);
      this.#sockets.push(ws);
      await new Promise((resolve) => ws.once("open", resolve).on("error", resolve));
    });
    await Promise.all(opened);
  }

  /** Breaks the silence: each sends this. */
  say(text: string): void {
    for (const ws of this.#sockets) ws.send(text);
  }

  [Symbol.dispose](): void {
    for (const ws of this.#sockets) ws.terminate();
  }
}
