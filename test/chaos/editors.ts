import { readFile } from "node:fs/promises";
import { endpointFileSchema } from "@rport/protocol/endpointFile";
import { EVENTS_PATH } from "@rport/protocol/http";
import { WebSocket } from "ws";
import { bearer } from "../../extension/src/api/access.ts";
import { EventSocket } from "../../extension/src/api/events.ts";
import { Mirror } from "../../extension/src/model/mirror.ts";
import { systemClock } from "../../extension/src/support/clock.ts";
import { serve } from "../bench/childPort.ts";
import { TestApi } from "../support/backend/api.ts";
import { allClients } from "./clientList.ts";

/** Between two tries to connect, as a window that is open has. */
const AGAIN_MS = 500;
const LOOK_MS = 200;

/** Editors learn it together with something else: no sign of life is an event of its own. */
const UNTOLD = "last_heartbeat_at";

/** What came of a comparison. */
export interface Comparison {
  readonly editors: number;
  /** Editors that show something else than the server has, with the first difference. */
  readonly different: readonly string[];
}

const endpointOf = async (file: string) =>
  endpointFileSchema.parse(JSON.parse(await readFile(file, "utf8")));

/** What an editor holds for one server: the extension's own socket and mirror. */
class Editor {
  readonly mirror = new Mirror();
  readonly #file: string;
  #socket: EventSocket | undefined;
  #isClosed = false;

  constructor(file: string) {
    this.#file = file;
    void this.#connect();
  }

  /** The mirror is filled, and the connection it is filled by stands. */
  isConnected = false;

  close(): void {
    this.#isClosed = true;
    this.#socket?.close();
  }

  async #connect(): Promise<void> {
    const endpoint = await endpointOf(this.#file).catch(() => undefined);
    if (this.#isClosed) return;
    if (endpoint === undefined) this.#later();
    else this.#open(endpoint.url, endpoint.token);
  }

  #open(url: string, token: string): void {
    this.#socket = new EventSocket({
      access: { kind: "ready", url, authorization: bearer(token) },
      clock: systemClock,
      onMessage: (message) => {
        const { kind } = this.mirror.apply(message);
        this.isConnected = kind === "reset" || kind === "changed";
        if (kind === "gap") this.#socket?.close();
        if (kind === "gap") this.#later();
      },
      onEnd: () => this.#later(),
    });
  }

  #later(): void {
    this.isConnected = false;
    this.mirror.abandon();
    setTimeout(() => void this.#connect(), AGAIN_MS);
  }
}

const editors: Editor[] = [];
const stalled: WebSocket[] = [];

/** What two mirrors have to agree on: each member of each thing, as text. */
type Content = ReadonlyMap<string, string>;

function contentOf({ maps }: Mirror): Content {
  return new Map(
    Object.entries(maps).flatMap(([list, map]) =>
      [...map].flatMap(([id, value]) => membersOf(`${list} ${id}`, value)),
    ),
  );
}

const membersOf = (name: string, value: object) =>
  Object.entries(value)
    .filter(([member]) => member !== UNTOLD)
    .map(([member, held]): [string, string] => [`${name} ${member}`, canonical(held)]);

/** The same text for the same value, whatever the order of its members. */
function canonical(value: unknown): string {
  const sorted = (_key: string, found: unknown) =>
    typeof found === "object" && found !== null && !Array.isArray(found)
      ? Object.fromEntries(Object.entries(found).sort(([one], [other]) => (one < other ? -1 : 1)))
      : found;
  return JSON.stringify(value, sorted) ?? "nothing";
}

/** The first member that both do not have alike. */
function difference(shown: Content, real: Content): string | undefined {
  const keys = new Set([...shown.keys(), ...real.keys()]);
  const key = [...keys].find((one) => shown.get(one) !== real.get(one));
  return key && `${key}: shows ${shown.get(key)}, is ${real.get(key)}`;
}

/** The clients, as the REST API lists them. */
async function listedClients(file: string): Promise<Content> {
  const { url, token } = await endpointOf(file);
  const clients = await allClients(new TestApi(url, token));
  return new Map([...clients].flatMap(([id, client]) => membersOf(`clients ${id}`, client)));
}

/** Everything there is, told to somebody who comes just now. */
async function freshContent(file: string): Promise<Content> {
  const fresh = new Editor(file);
  try {
    while (!fresh.isConnected) await pause();
    return contentOf(fresh.mirror);
  } finally {
    fresh.close();
  }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, LOOK_MS));

async function compareOnce(file: string): Promise<string[]> {
  const clients = await listedClients(file);
  const real = await freshContent(file);
  return editors.flatMap(({ mirror, isConnected }, n) => {
    if (!isConnected) return [`editor ${n} is not connected`];
    const shown = contentOf(mirror);
    const ofClients = new Map([...shown].filter(([key]) => key.startsWith("clients ")));
    const found = difference(ofClients, clients) ?? difference(shown, real);
    return found === undefined ? [] : [`editor ${n}: ${found}`];
  });
}

const handlers = {
  /** Opens so many editors; resolves when each has its snapshot. */
  async open({ file, count }: { readonly file: string; readonly count: number }): Promise<void> {
    for (let n = 0; n < count; n += 1) editors.push(new Editor(file));
    while (!editors.every(({ isConnected }) => isConnected)) await pause();
  },
  /** Compares until all show what is so, at the longest for `timeoutMs`. */
  async compare({
    file,
    timeoutMs,
  }: {
    readonly file: string;
    readonly timeoutMs: number;
  }): Promise<Comparison> {
    const endMs = performance.now() + timeoutMs;
    for (;;) {
      const different = await compareOnce(file).catch((error: unknown) => [String(error)]);
      const isOver = different.length === 0 || performance.now() > endMs;
      if (isOver) return { editors: editors.length, different };
      await pause();
    }
  },
  /** Opens so many more that stop reading after the first bytes. */
  async stall({ file, count }: { readonly file: string; readonly count: number }): Promise<void> {
    const { url, token } = await endpointOf(file);
    const opened = Array.from({ length: count }, async () => {
      const headers = { Authorization: `Bearer ${token}` };
      const socket = new WebSocket(`${url.replace(/^http/, "ws")}${EVENTS_PATH}`, { headers });
      stalled.push(socket);
      await new Promise((resolve) => socket.once("open", resolve).on("error", resolve));
      socket.pause();
    });
    await Promise.all(opened);
  },
  /** Ends those that do not read. */
  release(): void {
    for (const socket of stalled.splice(0)) socket.terminate();
  },
};

/** What the process of the editors can be asked. */
export type EditorHandlers = typeof handlers;

serve(handlers);
