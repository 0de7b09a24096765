import { Connection } from "@rport/protocol/wire/connection";
import { Relays } from "@rport/protocol/wire/relay";
import type { ServerKey } from "@rport/protocol/wire/serverKey";
import { clientTransport, serverTransport } from "@rport/protocol/wire/transport";
import { RequestRefused } from "@rport/protocol/wire/wireError";
import { WebSocket } from "ws";
import {
  bytesOf,
  payloadOf,
  type RecordedMessage,
  type RecordedRequest,
  type RecordedSession,
} from "../release/wireRecording.ts";
import { listen, type WireListener } from "./wirePair.ts";

/** A stand between agents and a backend that writes down what they say, and changes nothing. */
export interface WireTap extends WireListener {
  /** A session for each login that the backend took. */
  readonly sessions: readonly RecordedSession[];
  /** Cuts all connections, as a network does. */
  cut(): void;
}

/** What is listened to. */
export interface Tapped {
  readonly url: string;
  /** The backend's key: a host signs which one it sees. */
  readonly serverKey: ServerKey;
}

/** Listens for agents in front of a backend. */
export async function tapWire(backend: Tapped): Promise<WireTap> {
  const sessions: RecordedSession[] = [];
  const sockets = new Set<WebSocket>();
  const listener = await listen((ws) => {
    sockets.add(ws);
    new TappedConnection(ws, backend, sessions);
  });
  return {
    url: listener.url,
    port: listener.port,
    sessions,
    cut: () => {
      for (const ws of sockets) ws.terminate();
      sockets.clear();
    },
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  };
}

/** One agent's connection, and the one to the backend that is made with the secret it shows. */
class TappedConnection {
  readonly #backendUrl: string;
  readonly #sessions: RecordedSession[];
  readonly #messages: RecordedMessage[] = [];
  readonly #relays = new Relays();
  readonly #agent: Connection;
  #backend: Connection | undefined;

  constructor(ws: WebSocket, { url, serverKey }: Tapped, sessions: RecordedSession[]) {
    this.#backendUrl = url.replace(/^http/, "ws");
    this.#sessions = sessions;
    const login = { check: (user: string, password: string) => this.#logIn(user, password) };
    this.#agent = new Connection(serverTransport(ws, { serverKey, login }), {
      onRequest: (name, payload, wantReply) => this.#pass("agent", { name, payload, wantReply }),
      onOpen: () => ({ refuse: "agents open no channels" }),
    });
    void this.#agent.closed.then(() => this.#backend?.close("the agent left"));
  }

  async #logIn(user: string, password: string): Promise<boolean> {
    const headers = { "Sec-WebSocket-Protocol": "rport-v1" };
    const ws = new WebSocket(this.#backendUrl, { headers, perMessageDeflate: false });
    const transport = clientTransport(ws, { user, password, verifyServerKey: () => true });
    const backend = new Connection(transport, {
      onRequest: (name, payload, wantReply) => this.#pass("backend", { name, payload, wantReply }),
      onOpen: (type, extra) => this.#open(type, extra),
    });
    try {
      await transport.ready;
    } catch {
      return false;
    }
    this.#backend = backend;
    this.#sessions.push({ login: { user, password }, messages: this.#messages });
    void backend.closed.then(() => this.#agent.close("the backend left"));
    return true;
  }

  async #pass(
    from: "agent" | "backend",
    { name, payload, wantReply }: { name: string; payload: Buffer; wantReply: boolean },
  ): Promise<Buffer | undefined> {
    const to = from === "agent" ? this.#backend : this.#agent;
    if (to === undefined) throw new Error("a request before the login");
    if (!wantReply) {
      this.#messages.push({ kind: "notice", from, name, payload: payloadOf(payload) });
      this.#learn(name, payload);
      to.notify(name, payload);
      return undefined;
    }
    const unanswered = { ok: false, payload: "" };
    const request: RecordedRequest = {
      kind: "request",
      from,
      name,
      payload: payloadOf(payload),
      reply: unanswered,
    };
    this.#messages.push(request);
    const reply = await to.request(name, payload);
    request.reply = { ok: reply.ok, payload: payloadOf(reply.payload) };
    if (!reply.ok) throw new RequestRefused(reply.payload.toString());
    return bytesOf(request.reply.payload);
  }

  /** Both sides know half-close from the backend's list of features on. */
  #learn(name: string, payload: Buffer): void {
    if (name !== "put_capabilities" || !payload.includes('"half-close"')) return;
    this.#agent.halfClose = true;
    if (this.#backend !== undefined) this.#backend.halfClose = true;
  }

  #open(type: string, extra: Buffer) {
    this.#messages.push({ kind: "open", from: "backend" as const, type, extra: extra.toString() });
    const inner = this.#agent.open(type, extra);
    return {
      accept: (channel: Parameters<Relays["join"]>[0]) => {
        inner.then(
          (other) => void this.#relays.join(channel, other),
          () => channel.destroy(),
        );
      },
    };
  }
}
