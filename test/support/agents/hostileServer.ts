import {
  decodeMessage,
  encodeMessage,
  type Message,
} from "@rport/protocol/wire/connection/messages";
import { serverTransport } from "@rport/protocol/wire/transport";
import type { WebSocket } from "ws";
import { eventually } from "../eventually.ts";
import { LOGIN, listen, SERVER_KEY } from "../wire/wirePair.ts";

/** A connection of an agent at a hostile server. */
export interface HostileSession {
  readonly ws: WebSocket;
  /** What the agent said, in order. */
  readonly heard: readonly Message[];
  /** Sends any message, allowed or not. */
  send(message: Message): void;
}

/** A server with the key that agents have pinned, which keeps to nothing beyond the registration. */
export interface HostileServer extends AsyncDisposable {
  readonly url: string;
  /** The next agent that was registered. */
  next(): Promise<HostileSession>;
}

/** Starts one. */
export async function startHostileServer(): Promise<HostileServer> {
  const registered: HostileSession[] = [];
  const listener = await listen((ws) => serve(ws, (session) => registered.push(session)));
  return {
    url: listener.url,
    next: () =>
      eventually(() => {
        const session = registered.shift();
        if (session === undefined) throw new Error("no agent has come");
        return session;
      }),
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  };
}

function serve(ws: WebSocket, onRegistered: (session: HostileSession) => void): void {
  const heard: Message[] = [];
  const transport = serverTransport(ws, { serverKey: SERVER_KEY, login: LOGIN });
  const send = (message: Message) => transport.send(encodeMessage(message));
  transport.listen({
    onMessage: (payload) => {
      const message = decodeMessage(payload);
      if (message === undefined) return;
      heard.push(message);
      if (message.kind !== "globalRequest" || message.name !== "new_connection") return;
      send({ kind: "globalSuccess", payload: Buffer.from("[]") });
      onRegistered({ ws, heard, send });
    },
    onDrain: () => {},
    onClose: () => {},
  });
}
