import { decodeMessage, type Message } from "@rport/protocol/wire/connection/messages";
import { Ssh2Engine } from "@rport/protocol/wire/ssh2/ssh2Engine";
import { CLIENT_IDENT, IdentificationReader } from "@rport/protocol/wire/transport/identification";
import type { WebSocket } from "ws";
import { dial, PASSWORD, USER } from "../wire/wirePair.ts";

const IDENT = Buffer.from(CLIENT_IDENT);

/** How far a raw peer goes by itself. */
export type Stage = "keys" | "login";

/** What a raw peer does differently from an honest one. */
export interface RawPeerOptions {
  readonly url: string;
  /** `keys`: stop after the key exchange. `login`: log in as well. */
  readonly stage: Stage;
  /** Changes what is written, for example to flip a bit. */
  readonly onWrite?: (bytes: Buffer) => Buffer;
  /** Headers of the HTTP request, such as the subprotocol that a whole backend asks for. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Called for every refused login. */
  readonly onRefused?: (peer: RawPeer) => void;
}

/** An SSH client without any manners: it sends what a test tells it, whenever. */
export class RawPeer {
  readonly ws: WebSocket;
  readonly engine: Ssh2Engine;
  /** Resolves when the asked stage is reached. */
  readonly reached = Promise.withResolvers<void>();
  /** Resolves with the server's DISCONNECT text, or "" when it just hung up. */
  readonly ended = Promise.withResolvers<string>();
  /** Whether a login was accepted. */
  isIn = false;
  /** Messages of the connection layer that arrived. */
  readonly received: Message[] = [];
  refusals = 0;
  #goodbye = "";
  #ident: IdentificationReader | undefined = new IdentificationReader();

  constructor(options: RawPeerOptions) {
    this.ws = dial(options.url, options.headers);
    const change = options.onWrite ?? ((bytes: Buffer) => bytes);
    this.engine = new Ssh2Engine({ role: "client", verifyServerKey: () => true }, IDENT, {
      limit: { packetBytes: 20 << 20 },
      events: {
        onWrite: (bytes) => this.ws.send(change(Buffer.from(bytes))),
        onError: (error) => this.ended.resolve(error.message),
        onExchanged: () => this.#onKeys(options.stage),
        onPayload: (payload) => this.#keep(payload),
        handlers: {
          SERVICE_ACCEPT: () => {
            if (options.stage === "login") this.engine.sendPassword(USER, PASSWORD);
          },
          USERAUTH_SUCCESS: () => {
            this.isIn = true;
            this.reached.resolve();
          },
          USERAUTH_FAILURE: () => {
            this.refusals += 1;
            options.onRefused?.(this);
          },
          DISCONNECT: (_library, _code, text) => {
            this.#goodbye = text;
          },
        },
      },
    });
    this.ws.on("open", () => this.ws.send(`${CLIENT_IDENT}\r\n`));
    this.ws.on("message", (data: Buffer) => this.#input(data));
    this.ws.on("error", () => {});
    this.ws.on("close", () => this.ended.resolve(this.#goodbye));
  }

  /** Sends any payload, allowed or not. */
  send(payload: Buffer | number[]): void {
    this.engine.send(Buffer.from(payload));
  }

  #onKeys(stage: Stage): void {
    if (this.isIn) return;
    if (stage === "login") this.engine.requestService("ssh-userauth");
    else this.reached.resolve();
  }

  #keep(payload: Buffer): "pass" | "taken" {
    if ((payload[0] ?? 0) < 80) return "pass";
    const message = decodeMessage(payload);
    if (message !== undefined) this.received.push(message);
    return "taken";
  }

  #input(data: Buffer): void {
    let bytes = data;
    if (this.#ident !== undefined) {
      const result = this.#ident.feed(bytes);
      if (result.kind !== "complete") return;
      this.#ident = undefined;
      this.engine.start(result.ident);
      bytes = result.rest;
    }
    try {
      if (bytes.length > 0) this.engine.parse(bytes);
    } catch {
      this.ws.terminate();
    }
  }
}

/** The bytes of an SSH string. */
export function sshString(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
