import type { Channel } from "@rport/protocol/wire/channel";
import { Connection } from "@rport/protocol/wire/connection";
import { serverTransport } from "@rport/protocol/wire/transport";
import { RequestRefused } from "@rport/protocol/wire/wireError";
import type { WebSocket } from "ws";
import { eventually } from "../eventually.ts";
import { listen, SERVER_KEY, type WireListener } from "../wire/wirePair.ts";
import {
  bytesOf,
  payloadOf,
  type RecordedNotice,
  type RecordedRequest,
  type RecordedSession,
  requestsOf,
  type WireRecording,
} from "./wireRecording.ts";

/** What an agent sent. */
export interface HeardRequest {
  readonly name: string;
  readonly payload: RecordedRequest["payload"];
}

/** One connection of an agent, which gets the answers of a recorded one. */
export class ReplayedSession {
  /** What the agent asked or told, in order. */
  readonly heard: HeardRequest[] = [];
  readonly recorded: RecordedSession;
  readonly connection: Connection;
  readonly #ws: WebSocket;

  constructor(ws: WebSocket, recorded: RecordedSession) {
    this.recorded = recorded;
    this.#ws = ws;
    const { user, password } = recorded.login;
    const login = {
      check: async (name: string, secret: string) => name === user && secret === password,
    };
    this.connection = new Connection(serverTransport(ws, { serverKey: SERVER_KEY, login }), {
      onRequest: (name, payload) => this.#answer(name, payload),
      onOpen: () => ({ refuse: "agents open no channels" }),
    });
  }

  /** What the agent asked by this name first, as soon as it has. */
  asked(name: string): Promise<HeardRequest["payload"]> {
    return eventually(() => {
      const found = this.heard.find((one) => one.name === name);
      if (found === undefined) throw new Error(`the agent has not sent ${name}`);
      return found.payload;
    }, 10_000);
  }

  /** Asks the agent what was recorded, or anything else. */
  async ask({ name, payload }: Pick<RecordedRequest, "name" | "payload">) {
    const reply = await this.connection.request(name, bytesOf(payload), 10_000);
    return { ok: reply.ok, payload: payloadOf(reply.payload) };
  }

  /** Tells it something. What both sides can do counts from then on. */
  tell({ name, payload }: Pick<RecordedNotice, "name" | "payload">): void {
    this.connection.notify(name, bytesOf(payload));
    if (name === "put_capabilities") this.connection.halfClose = true;
  }

  /** Opens a channel. */
  open(type: string, extra: string): Promise<Channel> {
    return this.connection.open(type, Buffer.from(extra));
  }

  /** Cuts the connection, as a network does. */
  cut(): void {
    this.#ws.terminate();
  }

  #answer(name: string, payload: Buffer): Buffer {
    this.heard.push({ name, payload: payloadOf(payload) });
    const known = requestsOf(this.recorded, "agent").find((one) => one.name === name);
    if (name === "ping") return Buffer.alloc(0);
    if (known === undefined) throw new RequestRefused("unknown request");
    return bytesOf(known.reply.payload);
  }
}

/** A backend that says what a recorded one said: a session after the other. */
export interface RecordedBackend extends WireListener {
  /** The session of this number, as soon as an agent has begun it. */
  session(at: number): Promise<ReplayedSession>;
}

/** Listens for an agent that pins the key of all test servers. */
export async function replayBackend(recording: WireRecording): Promise<RecordedBackend> {
  const begun: ReplayedSession[] = [];
  const last = recording.sessions.length - 1;
  const listener = await listen((ws) => {
    const recorded = recording.sessions[Math.min(begun.length, last)];
    if (recorded !== undefined) begun.push(new ReplayedSession(ws, recorded));
  });
  return {
    url: listener.url,
    port: listener.port,
    session: (at) =>
      eventually(() => {
        const session = begun[at];
        if (session === undefined) throw new Error(`the agent has not come ${at + 1} times`);
        return session;
      }, 10_000),
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  };
}
