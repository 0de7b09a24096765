import { once } from "node:events";
import { Duplex, PassThrough } from "node:stream";
import { CLOSE_CODES } from "@rport/protocol/errors";
import {
  encodeFrame,
  FRAME_DATA_BYTES,
  type Frame,
  FrameReader,
} from "@rport/protocol/terminal/frame";
import { TERMINAL } from "@rport/protocol/terminal/terminal";
import { Relays } from "@rport/protocol/wire/relay";
import { describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { systemClock } from "../../../backend/src/platform/clock.ts";
import { serveTerminal } from "../../../backend/src/terminals/viewerSocket.ts";
import { eventually } from "../../support/eventually.ts";
import { TerminalScene } from "../../support/terminals/scene.ts";

const REFUSED = CLOSE_CODES.refused;
const HELD_MAX_BYTES = 1 << 20;
const OPENING = encodeFrame({
  kind: "open",
  json: Buffer.from('{"size":{"cols":80,"rows":24},"wish":{"kind":"new"}}'),
});

/** What a host says first. */
function attachedTo(id: string): Buffer {
  const said = { id, account: "root", shell: "/bin/sh" };
  const numbers = { startedAtMs: 0, outputFrom: 0, inputTaken: 0 };
  return encodeFrame({
    kind: "attached",
    json: Buffer.from(JSON.stringify({ ...said, ...numbers })),
  });
}

/** A host that takes the first of what it is sent, and then nothing until it may. */
class SlowHost extends Duplex {
  readonly frames: Frame[] = [];
  readonly #reader = new FrameReader();
  readonly #mayTake = Promise.withResolvers<void>();

  constructor() {
    super({ writableHighWaterMark: 1 });
  }

  takeAll(): void {
    this.#mayTake.resolve();
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.frames.push(...this.#reader.read(chunk));
    void this.#mayTake.promise.then(done);
  }
}

/** A viewer's socket, joined to this host. */
async function joinedViewer(host: Duplex) {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const accepted = once(server, "connection");
  const { port } = server.address() as { port: number };
  const viewer = new WebSocket(`ws://127.0.0.1:${port}`);
  const [ws, request] = (await accepted) as [WebSocket, { socket: import("node:net").Socket }];
  const tally = { bytesAtoB: 0, bytesBtoA: 0 };
  const open = async (): Promise<Duplex> => host;
  const onFault = (error: unknown) => expect.unreachable(String(error));
  void serveTerminal(ws, { open, relays: new Relays(), tally, clock: systemClock, onFault });
  if (viewer.readyState !== viewer.OPEN) await once(viewer, "open");
  viewer.send(OPENING);
  const { socket } = request;
  /** What was taken of the host and is not with the system. */
  const held = () => tally.bytesBtoA - (socket.bytesWritten - socket.writableLength);
  return {
    viewer,
    ws,
    tally,
    held,
    async [Symbol.asyncDispose]() {
      viewer.terminate();
      server.close();
      await once(server, "close");
    },
  };
}

describe("S-53 the way of a terminal", () => {
  it("holds at most a megabyte for a viewer that does not read, and the host waits", async () => {
    const host = new PassThrough({ highWaterMark: 1 });
    await using scene = await joinedViewer(host);
    scene.viewer.pause();
    const bytes = Buffer.alloc(FRAME_DATA_BYTES, 65);
    let offset = 0;
    let most = 0;
    for (let quiet = 0; quiet < 40; ) {
      const before = scene.tally.bytesBtoA;
      while (host.writableLength < HELD_MAX_BYTES) {
        host.write(encodeFrame({ kind: "output", offset, bytes }));
        offset += bytes.length;
      }
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, scene.held());
      quiet = scene.tally.bytesBtoA === before ? quiet + 1 : 0;
    }
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(HELD_MAX_BYTES);
  });

  it("passes on what a viewer said that has left, to its last word", async () => {
    const host = new SlowHost();
    await using scene = await joinedViewer(host);
    const bytes = Buffer.alloc(FRAME_DATA_BYTES, 65);
    for (let count = 0; count < 4; count += 1) {
      scene.viewer.send(encodeFrame({ kind: "input", offset: count * bytes.length, bytes }));
    }
    scene.viewer.send(encodeFrame({ kind: "close" }));
    scene.viewer.close();
    await once(scene.ws, "close");
    expect(host.frames.length).toBeLessThan(5);
    host.takeAll();
    await once(host, "close");
    const kinds = host.frames.map(({ kind }) => kind);
    expect(kinds).toEqual(["input", "input", "input", "input", "close"]);
  });

  it("ends a host that sends output that is not what comes next", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    for (const offset of [0, 8]) {
      const viewer = await scene.viewer();
      const terminal = [...host.terminals.values()].at(-1);
      terminal?.print("known");
      await viewer.shows("known");
      terminal?.say({ kind: "output", offset, bytes: Buffer.from("other") });
      expect(await viewer.closed).toEqual({
        code: REFUSED,
        reason: "The host broke the rules of terminals: its output has a gap, or comes twice.",
      });
      expect(viewer.text).toBe("known");
    }
  });

  it("ends a host that sends more than was confirmed", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    const viewer = await scene.viewer({ confirms: false });
    const bytes = Buffer.alloc(FRAME_DATA_BYTES, 65);
    for (let count = 0; count <= (2 * TERMINAL.outputWindowBytes) / bytes.length; count += 1) {
      host.only.print(bytes);
    }
    const { code, reason } = await viewer.closed;
    expect(code).toBe(REFUSED);
    expect(reason).toContain("The host broke the rules");
  });

  it("counts what waits of it with what waits for its host, and ends who waits longest", async () => {
    await using scene = await TerminalScene.open({
      limits: { stalled_bytes_per_agent: 1 << 20, terminals_per_client: 64 },
    });
    const frame = encodeFrame({ kind: "output", offset: 0, bytes: Buffer.alloc(FRAME_DATA_BYTES) });
    await scene.host({
      onAttach: (terminal, channel) => {
        terminal.attach(channel);
        channel.write(frame.subarray(0, -1));
      },
    });
    const first = await scene.viewer();
    for (let bytes = 2 * FRAME_DATA_BYTES; bytes <= 1 << 20; bytes += FRAME_DATA_BYTES) {
      await scene.viewer();
    }
    const { code, reason } = await first.closed;
    expect(code).toBe(CLOSE_CODES.cutOff);
    expect(reason).toBe("Too much waits on the way to this host; the terminal may be there still.");
    const bites = 'rport_limit_bites_total{limit="stalled_bytes_per_agent"} 1';
    expect(await scene.figures()).toContain(bites);
    expect(await scene.backend.api("listTerminals")).toContainEqual(
      expect.objectContaining({ id: (await first.attached).id, attached: false }),
    );
  });

  it("ends a viewer that sends more than was taken", async () => {
    await using scene = await TerminalScene.open();
    await scene.host({
      onAttach: (terminal, channel) => {
        channel.write(attachedTo(terminal.opening.id));
        channel.resume();
      },
    });
    const viewer = await scene.viewer();
    for (let count = 0; count < 5; count += 1) viewer.type(Buffer.alloc(FRAME_DATA_BYTES, 65));
    const { code, reason } = await viewer.closed;
    expect(code).toBe(REFUSED);
    expect(reason).toContain("viewer broke its rules");
  });

  it.each<[string, Buffer]>([
    ["no frame", Buffer.from([0, 0, 0, 0])],
    ["a frame of a host", encodeFrame({ kind: "output", offset: 0, bytes: Buffer.from("x") })],
    ["another one first", encodeFrame({ kind: "resize", cols: 80, rows: 24 })],
    ["an opening that is no JSON", encodeFrame({ kind: "open", json: Buffer.from("{") })],
    ["an opening without a size", encodeFrame({ kind: "open", json: Buffer.from("{}") })],
    ["a size that none has", encodeFrame({ kind: "open", json: sized(0) })],
    ["an opening that is too long", Buffer.from([1, 0, 0x10, 1, 32])],
    ["two openings", Buffer.concat([OPENING, OPENING])],
  ])("takes of a viewer not %s", async (_what, bytes) => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    const viewer = await scene.connecting();
    viewer.sayRaw(bytes);
    expect(await viewer.closed).toMatchObject({ code: REFUSED });
    await eventually(async () => {
      const alive = [...host.terminals.values()].filter(({ end }) => end === undefined);
      expect(alive).toEqual([]);
    });
    expect(await scene.backend.api("listTerminals")).toEqual([]);
  });

  it("passes frames that came together on together: each piece is a packet", async () => {
    await using scene = await TerminalScene.open();
    const pieces: Buffer[] = [];
    await scene.host({
      onAttach: (terminal, channel) => {
        channel.write(attachedTo(terminal.opening.id));
        channel.on("data", (piece: Buffer) => pieces.push(piece));
      },
    });
    const viewer = await scene.viewer();
    const interrupt = encodeFrame({ kind: "signal", signal: "INT" });
    const message = Buffer.concat(Array.from({ length: 10_000 }, () => interrupt));
    viewer.sayRaw(message);
    await eventually(() => expect(Buffer.concat(pieces).length).toBe(message.length));
    expect(pieces.length).toBeLessThan(20);
  });

  it("takes no text of a viewer", async () => {
    await using scene = await TerminalScene.open();
    await scene.host();
    const viewer = await scene.viewer();
    viewer.socket.send("ls\n");
    expect(await viewer.closed).toMatchObject({ code: 1003 });
  });
});

describe("limits of terminals", () => {
  it.each([
    ["terminals_per_user", { terminals_per_user: 2 }],
    ["terminals_per_client", { terminals_per_client: 2 }],
    ["terminals", { terminals: 2 }],
  ])("%s bites, is counted, and is free again with an end", async (name, limitValues) => {
    await using scene = await TerminalScene.open({ limits: limitValues });
    await scene.host();
    const first = await scene.viewer();
    await (await scene.viewer()).cut();
    const third = await scene.asking();
    const { code, reason } = await third.closed;
    expect(code).toBe(REFUSED);
    expect(reason).toContain(`(${name})`);
    expect(await scene.figures()).toContain(`rport_limit_bites_total{limit="${name}"} 1`);
    expect(await first.end()).toEqual({ how: "closed" });
    await scene.viewer();
  });

  it("count what is open and what went through", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    const viewer = await scene.viewer();
    viewer.type("12345678");
    await viewer.shows("12345678");
    const figures = await scene.figures();
    expect(figures).toContain('rport_terminals{state="attached"} 1');
    expect(figures).toContain('rport_terminals{state="detached"} 0');
    expect(figures).toMatch(/rport_terminal_bytes_total\{direction="to_host"\} \d\d/);
    await viewer.cut();
    await eventually(async () =>
      expect(await scene.figures()).toContain('rport_terminals{state="detached"} 1'),
    );
    expect(host.only.end).toBeUndefined();
  });
});

describe("many terminals", () => {
  it("are opened and ended five hundred times, and nothing is left of them", async () => {
    await using scene = await TerminalScene.open();
    const host = await scene.host();
    const text = "the last words of a program that ends at once";
    for (let count = 0; count < 500; count += 1) {
      const viewer = await scene.viewer();
      const terminal = [...host.terminals.values()].at(-1);
      terminal?.print(text);
      terminal?.finish({ how: "exit", code: 0 });
      await viewer.ended;
      expect(viewer.text).toBe(text);
      await viewer.closed;
    }
    expect(await scene.backend.api("listTerminals")).toEqual([]);
    const { terminals } = scene.backend.backend;
    expect(terminals.counts).toEqual({ open: 0, attached: 0 });
    const { relays } = scene.backend.backend;
    await eventually(() => expect(relays.active).toBe(0));
  });
});

function sized(cols: number): Buffer {
  return Buffer.from(JSON.stringify({ size: { cols, rows: 24 }, wish: { kind: "new" } }));
}
