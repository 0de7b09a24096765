import {
  ENTITIES,
  type EntityLists,
  type EntityValue,
  type EventMessage,
  entityLists,
  eventMessageSchema,
  type Piece,
  type Snapshot,
} from "@rport/protocol/events";
import { EVENTS_PATH } from "@rport/protocol/http";
import WebSocket from "ws";
import { within } from "../within.ts";

/** How long a test waits for something that should come at once. */
const DEADLINE_MS = 10_000;

/** The messages of the snapshot, once the last of them is there. */
function snapshotOf(messages: readonly EventMessage[]): (Snapshot | Piece)[] | undefined {
  const parts = messages.filter((message) => message.type !== "delta");
  return parts.at(-1)?.more === false ? parts : undefined;
}

function joined(parts: readonly EntityLists[]): EntityLists {
  // each list is made of the parts' lists of its own kind
  return entityLists((entity) =>
    parts.flatMap((part) => part[ENTITIES[entity].list] as readonly EntityValue<typeof entity>[]),
  );
}

/** One connection to the event socket; every message has to fit the contract. */
export class EventStream implements Disposable {
  readonly messages: EventMessage[] = [];
  /** The close code, once it is closed. */
  readonly closed: Promise<number>;
  readonly socket: WebSocket;
  readonly #waiting = new Set<() => void>();

  constructor(url: string, token: string) {
    this.socket = new WebSocket(`${url.replace(/^http/, "ws")}${EVENTS_PATH}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    this.socket.on("message", (data) => {
      this.messages.push(eventMessageSchema.parse(JSON.parse(String(data))));
      for (const check of [...this.#waiting]) check();
    });
    this.socket.on("error", () => {});
    this.closed = new Promise((resolve) => this.socket.once("close", resolve));
  }

  /** What there was at first, once all of it has come. */
  async snapshot(): Promise<Snapshot> {
    const [head, ...pieces] = await this.until(snapshotOf);
    if (head?.type !== "snapshot") throw new Error("the first message is not a snapshot");
    return { ...head, ...joined([head, ...pieces]), more: false };
  }

  /** What `find` finds in the messages, as soon as it finds something. */
  async until<T>(
    find: (messages: readonly EventMessage[]) => T | undefined,
    deadlineMs: number = DEADLINE_MS,
  ): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<T>();
    const check = (): void => {
      const found = find(this.messages);
      if (found !== undefined) resolve(found);
    };
    this.#waiting.add(check);
    check();
    try {
      const state = () => `an event; after ${this.messages.length} the last is ${this.#last()}`;
      return await within(state, promise, deadlineMs);
    } finally {
      this.#waiting.delete(check);
    }
  }

  #last(): string {
    return JSON.stringify(this.messages.at(-1) ?? null).slice(0, 500);
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}
