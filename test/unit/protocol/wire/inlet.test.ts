import { once } from "node:events";
import { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { INLET_HIGH_WATER_BYTES, Inlet } from "@rport/protocol/wire/inlet";
import { expect, it } from "vitest";

class Source extends Readable {
  readonly inlet = new Inlet(this);

  constructor() {
    super({ highWaterMark: INLET_HIGH_WATER_BYTES });
  }

  override _read(): void {
    this.inlet.read();
  }
}

function reading(source: Source) {
  const chunks: Buffer[] = [];
  source.on("data", (chunk: Buffer) => chunks.push(chunk));
  return { chunks, text: () => Buffer.concat(chunks).toString() };
}

it("hands what comes straight on while it is read", async () => {
  const source = new Source();
  const { chunks } = reading(source);
  await nextTurn();
  const piece = Buffer.from("one");
  source.inlet.add(piece);
  expect(chunks).toEqual([piece]);
  expect(chunks[0]).toBe(piece);
});

it("F-14: gathers what nobody reads, of whatever pieces, and hands it on in few", async () => {
  const source = new Source();
  const { chunks, text } = reading(source);
  await nextTurn();
  source.pause();
  for (let n = 0; n < 10_000; n += 1) {
    source.inlet.add(Buffer.from(String(n % 10)));
    // Node looks for more in between.
    if (n % 100 === 0) await nextTurn();
  }
  expect(source.inlet.unread).toBe(10_000);
  expect(source.readableLength).toBe(1);
  source.inlet.end();
  source.resume();
  await once(source, "end");
  expect(text()).toBe("0123456789".repeat(1_000));
  expect(chunks.length).toBeLessThanOrEqual(3);
  expect(source.inlet.unread).toBe(0);
});

it("ends behind what was gathered, also where it was read before", async () => {
  const source = new Source();
  source.inlet.add(Buffer.from("early"));
  source.inlet.end();
  const { text } = reading(source);
  await once(source, "end");
  expect(text()).toBe("early");
  const empty = new Source();
  reading(empty);
  await nextTurn();
  empty.inlet.end();
  await once(empty, "end");
});
