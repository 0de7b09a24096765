import { once } from "node:events";
import { Duplex, PassThrough } from "node:stream";
import { Relays, relay } from "@rport/protocol/wire/relay";
import { describe, expect, it } from "vitest";

/** One end of a pair of streams, like a socket: what is written on one is read on the other. */
function streamPair(): [Duplex, Duplex] {
  const [forth, back] = [new PassThrough(), new PassThrough()];
  const end = (readable: PassThrough, writable: PassThrough) => Duplex.from({ readable, writable });
  return [end(back, forth), end(forth, back)];
}

/** A Duplex that has `chunks` of 16 KiB to be read at once, and counts what is written to it. */
class Bulk extends Duplex {
  bytes = 0;

  constructor(chunks: number) {
    super({ highWaterMark: 4 << 20 });
    for (let index = 0; index < chunks; index += 1) this.push(Buffer.alloc(16_384));
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.bytes += chunk.length;
    done();
  }
}

/** A Duplex that takes writes only when told, and reads what it is given. */
class SlowSink extends Duplex {
  readonly taken: Buffer[] = [];
  #held: (() => void)[] = [];

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.taken.push(chunk);
    this.#held.push(done);
  }

  /** Lets the pending write finish. */
  release(): void {
    this.#held.shift()?.();
  }
}

const turn = () => new Promise(setImmediate);

async function textOf(stream: Duplex): Promise<string> {
  let text = "";
  stream.on("data", (chunk) => {
    text += String(chunk);
  });
  await once(stream, "end");
  return text;
}

describe("a relay", () => {
  it("passes both directions on, each with its own end", async () => {
    const [near, a] = streamPair();
    const [far, b] = streamPair();
    const done = relay(a, b);
    const asked = textOf(far);
    near.end("question");
    expect(await asked).toBe("question");
    const answered = textOf(near);
    far.end("the answer");
    expect(await answered).toBe("the answer");
    expect(await done).toEqual({ bytesAtoB: 8, bytesBtoA: 10 });
  });

  it("counts by direction while it goes on, also over several connections", async () => {
    const relays = new Relays();
    const tally = { bytesAtoB: 100, bytesBtoA: 0 };
    const [near, a] = streamPair();
    const [far, b] = streamPair();
    const done = relays.join(a, b, tally);
    near.write("question");
    await once(far, "data");
    expect(tally).toEqual({ bytesAtoB: 108, bytesBtoA: 0 });
    far.write("the answer");
    await once(near, "data");
    expect(tally).toEqual({ bytesAtoB: 108, bytesBtoA: 10 });
    near.end();
    far.end();
    await done;
    expect(relays.bytes).toBe(18);
  });

  it("delivers what was written before the end although the writer is closed by then", async () => {
    const source = new PassThrough();
    const sink = new SlowSink({ highWaterMark: 1 << 20 });
    const done = relay(source, sink);
    source.write("first ");
    source.end("last");
    sink.push(null);
    await once(source, "close");
    expect(sink.destroyed).toBe(false);
    sink.release();
    await turn();
    sink.release();
    await done;
    expect(Buffer.concat(sink.taken).toString()).toBe("first last");
    expect(sink.errored).toBeNull();
  });

  it("closes the other stream when one is cut, and tells why", async () => {
    const [a, b] = [new Bulk(0), new Bulk(0)];
    const done = relay(a, b);
    b.destroy(new Error("connection reset"));
    expect((await done).error?.message).toBe("connection reset");
    expect(a.destroyed).toBe(true);
  });

  it("ends at once when one stream was closed before it began", async () => {
    const a = new PassThrough();
    a.destroy();
    await once(a, "close");
    const b = new PassThrough();
    expect(await relay(a, b)).toEqual({ bytesAtoB: 0, bytesBtoA: 0 });
    expect(b.destroyed).toBe(true);
  });

  it("F-09: stops reading while the reader of the other side does not", async () => {
    const source = new PassThrough({ highWaterMark: 1000 });
    const sink = new SlowSink({ highWaterMark: 1000 });
    void relay(source, sink);
    let accepted = 0;
    while (accepted < 100_000 && source.write(Buffer.alloc(500))) {
      accepted += 500;
      await turn();
    }
    expect(accepted).toBeLessThan(10_000);
    source.destroy();
  });
});

/** A stream that throws where streams must not. */
class BrokenSink extends Bulk {
  override _write(): never {
    throw new Error("broken on purpose");
  }
}

describe("relays of one process", () => {
  it("F-25: end one whose stream throws, and nothing else", async () => {
    const faults: unknown[] = [];
    const relays = new Relays((error) => faults.push(error));
    const [source, sink] = [new Bulk(1), new BrokenSink(0)];
    const [healthy, taker] = [new Bulk(1), new Bulk(0)];
    const other = relay(healthy, taker, relays);
    const { error } = await relay(source, sink, relays);
    expect(error?.message).toBe("broken on purpose");
    expect(faults).toEqual([error]);
    expect([source.destroyed, sink.destroyed]).toEqual([true, true]);
    expect(relays.active).toBe(1);
    expect(taker.bytes).toBe(16_384);
    healthy.destroy();
    await other;
  });

  it("run at full speed alone", async () => {
    const relays = new Relays();
    const [source, sink] = [new Bulk(64), new Bulk(0)];
    void relay(source, sink, relays);
    await turn();
    expect(sink.bytes).toBe(1 << 20);
    source.destroy();
  });

  it("F-10: move 64 KiB per turn while there are others", async () => {
    const relays = new Relays();
    const [source, sink] = [new Bulk(64), new Bulk(0)];
    const idle = new Bulk(0);
    void relay(idle, new Bulk(0), relays);
    const done = relay(source, sink, relays);
    expect(relays.active).toBe(2);
    await turn();
    expect(sink.bytes).toBeLessThanOrEqual(128 << 10);
    idle.destroy();
    await expect.poll(() => sink.bytes).toBe(1 << 20);
    source.destroy();
    await done;
    await expect.poll(() => relays.active).toBe(0);
  });

  it("F-14: keeps what its sink does not take in few pieces, however many it came in", async () => {
    const source = new PassThrough({ highWaterMark: 1 << 20 });
    const sink = new SlowSink({ highWaterMark: 1 << 20 });
    void relay(source, sink);
    for (let n = 0; n < 5_000; n += 1) source.write(Buffer.of(n % 251));
    await turn();
    expect(sink.writableLength).toBe(1);
    while (Buffer.concat(sink.taken).length < 5_000) {
      sink.release();
      await turn();
    }
    expect(sink.taken.length).toBeLessThan(5);
    expect(Buffer.concat(sink.taken)).toEqual(
      Buffer.from(Array.from({ length: 5_000 }, (_, n) => n % 251)),
    );
    sink.destroy();
  });
});
