import { once } from "node:events";
import { connect } from "node:net";
import { constants, setPriority } from "node:os";
import { REQUESTS } from "@rport/protocol/agent";
import { Connection } from "@rport/protocol/wire/connection";
import { clientTransport } from "@rport/protocol/wire/transport";
import { RequestRefused } from "@rport/protocol/wire/wireError";
import { WebSocket } from "ws";
import { serve } from "./childPort.ts";
import { introductionOf } from "./introduction.ts";
import { MODES } from "./load.ts";
import type { SwarmTarget } from "./swarm.ts";

/** What thieves take, in how many connections at once, and for how long. */
export interface Theft {
  readonly target: SwarmTarget;
  /** How long somebody signs in with the secret. */
  readonly forMs: number;
  /** Signed in and silent: each begins one message of so many bytes. */
  readonly silent: { readonly count: number; readonly bytes: number };
  /** New hosts with records of about so many bytes. */
  readonly records: { readonly count: number; readonly bytes: number };
  /** Signed in, each with a message of so many fragments of a byte, and 64 KiB of pongs before the next. */
  readonly pinned: { readonly count: number; readonly fragments: number };
  /** Strangers who sign in as people, with so many bytes that come one by one. */
  readonly bodies: { readonly count: number; readonly bytes: number };
  /** Readers of a file of the agent that read nothing; undefined: there is no such file. */
  readonly downloads: { readonly count: number; readonly path: string } | undefined;
  /** Readers of a tunnel's port that read nothing. */
  readonly readers: { readonly count: number; readonly port: number };
}

/** How often each was tried. */
export interface Loot {
  readonly silent: number;
  readonly records: number;
  readonly pinned: number;
  readonly bodies: number;
  readonly downloads: number;
  readonly readers: number;
}

const ADDRESSES = 250;
/** Before somebody who was ended comes again. */
const BETWEEN_MS = 50;
const PIECE = Buffer.alloc(64 << 10, 1);
/** What a thief lets wait on its own side. */
const AHEAD_BYTES = 1 << 20;
const LABEL_BYTES = 900;
const PONG = Buffer.alloc(125);
const PONGS = 500;
const FIRST_RECORD = 900_000;

let attempts = 0;

/** Sends a last thing; where too much waits then, resolves when all of it is written, or the socket is closed. */
async function roomBehind(ws: WebSocket, send: (written: () => void) => void): Promise<void> {
  const isWritten = new Promise<void>((resolve) => send(resolve));
  if (ws.bufferedAmount > AHEAD_BYTES) await isWritten;
}

/** From one of many addresses, as thieves come who have more than one machine. */
function localAddress(): string {
  attempts += 1;
  return `127.3.0.${1 + (attempts % ADDRESSES)}`;
}

class Thief {
  readonly #theft: Theft;
  readonly #ends: (() => void)[] = [];
  readonly #tried = { silent: 0, records: 0, pinned: 0, bodies: 0, downloads: 0, readers: 0 };
  #isOver = false;

  constructor(theft: Theft) {
    this.#theft = theft;
  }

  /** Begins to read nothing of what it asks for, until `steal` has ended. */
  hold(): void {
    const { downloads, readers } = this.#theft;
    void this.#again("readers", readers.count, () => this.#reader(readers.port));
    if (downloads === undefined) return;
    void this.#again("downloads", downloads.count, () => this.#download(downloads.path));
  }

  /** Signs in with the stolen secret, again and again, for its time. */
  async steal(): Promise<Loot> {
    const { silent, records, pinned, bodies, forMs } = this.#theft;
    const all = [
      this.#again("silent", silent.count, () => this.#silence(silent.bytes)),
      this.#again("records", records.count, (n) => this.#record(n, records.bytes)),
      this.#again("pinned", pinned.count, () => this.#pin(pinned.fragments)),
      this.#again("bodies", bodies.count, () => this.#dribble(bodies.bytes)),
    ];
    await new Promise((resolve) => setTimeout(resolve, forMs));
    this.#isOver = true;
    for (const end of this.#ends.splice(0)) end();
    await Promise.all(all);
    return this.#tried;
  }

  /** So many at once, each again as soon as it has ended. */
  async #again(kind: keyof Loot, count: number, once: (n: number) => Promise<void>): Promise<void> {
    const worker = async () => {
      while (!this.#isOver) {
        this.#tried[kind] += 1;
        await once(this.#tried[kind]).catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
      }
    };
    await Promise.all(Array.from({ length: count }, worker));
  }

  async #silence(bytes: number): Promise<void> {
    const { ws, connection } = await this.#signIn();
    for (let sent = 0; sent < bytes && ws.readyState === WebSocket.OPEN; sent += PIECE.length) {
      await roomBehind(ws, (written) => ws.send(PIECE, { fin: false }, written));
    }
    await connection.closed;
  }

  /** Each fragment is cut from a read of its own. */
  async #pin(fragments: number): Promise<void> {
    const { ws, connection } = await this.#signIn();
    for (let n = 0; n < fragments && ws.readyState === WebSocket.OPEN; n += 1) {
      ws.send(Buffer.of(1), { fin: false });
      for (let pongs = 1; pongs < PONGS; pongs += 1) ws.pong(PONG);
      await roomBehind(ws, (written) => ws.pong(PONG, undefined, written));
    }
    await connection.closed;
  }

  /** Each byte comes in a packet of its own. */
  async #dribble(bytes: number): Promise<void> {
    const { port } = new URL(this.#theft.target.server);
    const where = { host: "127.0.0.1", port: Number(port), localAddress: localAddress() };
    const socket = connect({ ...where, noDelay: true });
    socket.on("error", () => {});
    this.#ends.push(() => socket.destroy());
    socket.write(
      `POST /api/v1/login HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${bytes + 1}\r\n\r\n`,
    );
    for (let n = 0; n < bytes && !socket.destroyed; n += 1) {
      socket.write(" ");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    if (!socket.destroyed) await once(socket, "close");
  }

  async #record(n: number, bytes: number): Promise<void> {
    const { connection } = await this.#signIn();
    const plain: object = JSON.parse(introductionOf(FIRST_RECORD + n).toString());
    const labels = Array.from({ length: Math.floor(bytes / LABEL_BYTES) }, (_, i) => [
      `label-${i}`,
      "x".repeat(LABEL_BYTES - 20),
    ]);
    const introduction = {
      ...plain,
      ClientConfiguration: null,
      Labels: Object.fromEntries(labels),
    };
    const payload = Buffer.from(JSON.stringify(introduction));
    const reply = await connection.request(REQUESTS.newConnection, payload, 30_000);
    if (!reply.ok) connection.close("refused");
    await connection.closed;
  }

  async #download(path: string): Promise<void> {
    const { port } = new URL(this.#theft.target.server);
    await this.#unread(Number(port), `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  }

  async #reader(port: number): Promise<void> {
    await this.#unread(port, Buffer.of(MODES.down));
  }

  /** Asks for something, and reads nothing of it. */
  async #unread(port: number, question: string | Buffer): Promise<void> {
    const socket = connect({ host: "127.0.0.1", port, localAddress: localAddress() });
    socket.on("error", () => {});
    this.#ends.push(() => socket.destroy());
    socket.pause();
    socket.write(question);
    await once(socket, "close");
  }

  async #signIn() {
    const { server, authId: user, secret: password } = this.#theft.target;
    const headers = { "Sec-WebSocket-Protocol": "rport-v1" };
    const options = { headers, perMessageDeflate: false, localAddress: localAddress() };
    const ws = new WebSocket(server, options);
    const transport = clientTransport(ws, { user, password, verifyServerKey: () => true });
    const connection = new Connection(transport, {
      onOpen: () => ({ refuse: "no" }),
      onRequest: () => {
        throw new RequestRefused("unknown request");
      },
    });
    this.#ends.push(() => ws.terminate());
    await transport.ready;
    return { ws, connection };
  }
}

// Thieves have machines of their own. What they do costs the server as much as it does, but the time
// that they take themselves is what server and agents leave.
setPriority(constants.priority.PRIORITY_LOW);

let thief: Thief | undefined;
const handlers = {
  hold(theft: Theft): void {
    thief = new Thief(theft);
    thief.hold();
  },
  async steal(): Promise<Loot> {
    if (thief === undefined) throw new Error("nothing is held yet");
    return await thief.steal();
  },
};

/** What a thief can be asked. */
export type ThiefHandlers = typeof handlers;

serve(handlers);
