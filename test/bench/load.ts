import net, { type Socket } from "node:net";
import { pause, quantile } from "./harness.ts";

/** The first byte of a connection to the target: what is measured with it. */
export const MODES = { down: 0x64, up: 0x75, echo: 0x65 } as const;
/** What a sink reports at a time: bytes received, and its clock in milliseconds. */
export const TICK_BYTES = 16;

/** One write, and one read. */
const CHUNK_BYTES = 256 << 10;
/** A small message. */
const SMALL_BYTES = 64;
/** Connections of each kind. */
const OPENERS = 8;
const SMALL_CONNECTIONS = 16;
const BULK_STREAMS = 4;
/** Time for windows and buffers to open before anything counts. */
const WARM_MS = 150;

/** What one way through is able to do. */
export interface LoadFigures {
  readonly downMBs: number;
  readonly upMBs: number;
  readonly down4MBs: number;
  readonly opensPerS: number;
  readonly smallPerS: number;
  readonly rttP50Ms: number;
  readonly rttP99Ms: number;
  readonly busyP50Ms: number;
  readonly busyP99Ms: number;
}

/** Measures a port of this machine behind which the target is; each figure takes `windowMs`. */
export async function measureLoad(port: number, windowMs: number): Promise<LoadFigures> {
  const downMBs = await measureDown(port, 1, windowMs);
  const upMBs = await measureUp(port, windowMs);
  const down4MBs = await measureDown(port, BULK_STREAMS, windowMs);
  const opensPerS = await measureOpens(port, windowMs);
  const smallPerS = await measureSmall(port, windowMs);
  const idle = await roundTrips(port, windowMs);
  const bulk = new Bulk(port, MODES.down);
  await pause(WARM_MS);
  const busy = await roundTrips(port, windowMs);
  bulk.stop();
  return {
    downMBs,
    upMBs,
    down4MBs,
    opensPerS,
    smallPerS,
    rttP50Ms: quantile(idle, 0.5),
    rttP99Ms: quantile(idle, 0.99),
    busyP50Ms: quantile(busy, 0.5),
    busyP99Ms: quantile(busy, 0.99),
  };
}

/** Moves at least this much each way, as one connection each. */
export async function moveBulk(port: number, bytes: number): Promise<void> {
  for (const mode of [MODES.down, MODES.up]) {
    const bulk = new Bulk(port, mode);
    while (bulk.bytes < bytes && !bulk.isOver) await pause(20);
    bulk.stop();
  }
}

async function measureDown(port: number, streams: number, windowMs: number): Promise<number> {
  const all = Array.from({ length: streams }, () => new Bulk(port, MODES.down));
  const total = () => all.reduce((sum, { bytes }) => sum + bytes, 0);
  await pause(WARM_MS);
  const from = { bytes: total(), ms: performance.now() };
  await pause(windowMs);
  const figure = megabytesPerSecond(total() - from.bytes, performance.now() - from.ms);
  for (const bulk of all) bulk.stop();
  return figure;
}

async function measureUp(port: number, windowMs: number): Promise<number> {
  const bulk = new Bulk(port, MODES.up);
  await pause(WARM_MS);
  const from = await bulk.nextTick();
  await pause(windowMs);
  const to = await bulk.nextTick();
  bulk.stop();
  return megabytesPerSecond(to.bytes - from.bytes, to.ms - from.ms);
}

function megabytesPerSecond(bytes: number, ms: number): number {
  return bytes / 1e6 / (ms / 1_000);
}

interface Tick {
  readonly bytes: number;
  readonly ms: number;
}

/** One connection that moves data as fast as it can. */
class Bulk {
  /** Received here, or by the sink. */
  bytes = 0;
  readonly #socket: Socket;
  #onTick: (tick: Tick) => void = () => {};
  #partial = Buffer.alloc(0);

  constructor(port: number, mode: number) {
    const onread = {
      buffer: Buffer.alloc(CHUNK_BYTES),
      callback: (length: number, buffer: Uint8Array) => {
        if (mode === MODES.down) this.bytes += length;
        else this.#readTicks(Buffer.from(buffer.subarray(0, length)));
        return true;
      },
    };
    this.#socket = net.connect({ port, host: "127.0.0.1", noDelay: true, onread });
    this.#socket.on("error", () => {});
    this.#socket.once("connect", () => {
      this.#socket.write(Buffer.of(mode));
      if (mode === MODES.up) this.#fill();
    });
  }

  get isOver(): boolean {
    return this.#socket.destroyed;
  }

  /** What the sink says next. */
  nextTick(): Promise<Tick> {
    return new Promise((resolve, reject) => {
      this.#onTick = resolve;
      this.#socket.once("close", () => reject(new Error("a bulk stream was cut")));
    });
  }

  stop(): void {
    this.#socket.destroy();
  }

  #fill(): void {
    const chunk = Buffer.alloc(CHUNK_BYTES, 0xa5);
    const fill = () => {
      while (!this.#socket.destroyed && this.#socket.write(chunk));
    };
    this.#socket.on("drain", fill);
    fill();
  }

  #readTicks(data: Buffer): void {
    let rest = Buffer.concat([this.#partial, data]);
    while (rest.length >= TICK_BYTES) {
      this.bytes = rest.readDoubleBE(0);
      this.#onTick({ bytes: this.bytes, ms: rest.readDoubleBE(8) });
      rest = rest.subarray(TICK_BYTES);
    }
    this.#partial = rest;
  }
}

/** Connect, 64 bytes there and back, close: how many per second. */
async function measureOpens(port: number, windowMs: number): Promise<number> {
  let opens = 0;
  const endMs = performance.now() + windowMs;
  const opener = async () => {
    while (performance.now() < endMs) {
      await openOnce(port);
      opens += 1;
    }
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: OPENERS }, opener));
  return opens / ((performance.now() - startMs) / 1_000);
}

async function openOnce(port: number): Promise<void> {
  const echo = new Echo(port);
  await echo.roundTrip();
  await echo.end();
}

async function measureSmall(port: number, windowMs: number): Promise<number> {
  let trips = 0;
  const echoes = Array.from({ length: SMALL_CONNECTIONS }, () => new Echo(port));
  await Promise.all(echoes.map((echo) => echo.roundTrip()));
  const startMs = performance.now();
  const endMs = startMs + windowMs;
  const worker = async (echo: Echo) => {
    while (performance.now() < endMs) {
      await echo.roundTrip();
      trips += 1;
    }
  };
  await Promise.all(echoes.map(worker));
  const figure = trips / ((performance.now() - startMs) / 1_000);
  await Promise.all(echoes.map((echo) => echo.end()));
  return figure;
}

/** Milliseconds of each round trip of one connection, one after the other. */
async function roundTrips(port: number, windowMs: number): Promise<number[]> {
  const times: number[] = [];
  const echo = new Echo(port);
  await echo.roundTrip();
  const endMs = performance.now() + windowMs;
  while (performance.now() < endMs) {
    const startMs = performance.now();
    await echo.roundTrip();
    times.push(performance.now() - startMs);
  }
  await echo.end();
  return times;
}

const SMALL = Buffer.alloc(SMALL_BYTES, 0x42);
const FIRST_SMALL = Buffer.concat([Buffer.of(MODES.echo), SMALL]);

/** One connection to the echo. */
export class Echo {
  readonly #socket: Socket;
  #missing = 0;
  #done: () => void = () => {};
  #fail: (error: Error) => void = () => {};
  #isFirst = true;

  constructor(port: number) {
    this.#socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.on("data", (chunk) => {
      this.#missing -= chunk.length;
      if (this.#missing === 0) this.#done();
    });
    this.#socket.on("error", (error) => this.#fail(error));
    this.#socket.on("close", () => this.#fail(new Error("an echo was cut")));
  }

  /** Rejects when the connection is, or was, cut. */
  roundTrip(): Promise<void> {
    if (this.#socket.destroyed) return Promise.reject(new Error("an echo was cut"));
    this.#missing = SMALL_BYTES;
    this.#socket.write(this.#isFirst ? FIRST_SMALL : SMALL);
    this.#isFirst = false;
    return new Promise((resolve, reject) => {
      this.#done = resolve;
      this.#fail = reject;
    });
  }

  /** Ends the connection and resolves when the other side has, too. */
  async end(): Promise<void> {
    if (this.#socket.destroyed) return;
    const closed = new Promise((resolve) => this.#socket.once("close", resolve));
    this.#fail = () => {};
    this.#socket.end();
    await closed;
  }
}
