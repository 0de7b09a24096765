import { Intake } from "@rport/protocol/wire/transport/intake";
import { Turns } from "@rport/protocol/wire/turns";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../../../support/clock.ts";

const MIB = 1 << 20;
const LINE = Buffer.from("SSH-rport-v1-client\r\n");

/** The intake of a peer that has logged in, and of whose bytes the last `left` wait each time. */
function intake(left: number) {
  const clock = new FakeClock();
  const held = new Map<string, number>();
  let failures = 0;
  const transport = {
    isReady: true,
    isClosed: false,
    fail: () => {
      failures += 1;
    },
  };
  const stream = {
    half: { bytes: 0, memoryBytes: 0 },
    exchangeBytes: 0,
    messages: 0,
    left: 0,
    start: () => {},
    receive: (bytes: Buffer) =>
      stream.left > 0 ? bytes.subarray(bytes.length - stream.left) : undefined,
  };
  const served = new Intake(
    {
      clock,
      limits: { bytesBeforeLogin: 64 << 10, halfMs: 1_000 },
      transport,
      stream,
      carrier: { pause: () => {}, resume: () => {}, halfBytes: 0 },
      turns: new Turns({ clock }).own(
        () => "",
        (work) => work(),
      ),
      held: { set: (part, bytes) => void held.set(part, bytes) },
      guard: (action) => action(),
    },
    undefined,
  );
  served.take(LINE);
  stream.left = left;
  const unparsed = () => held.get("unparsed") ?? 0;
  return { served, stream, clock, transport, unparsed, failures: () => failures };
}

describe("what waits of a message that was taken in part", () => {
  it("C-16: counts with all of the memory that it is the end of, until it is used up", async () => {
    const { served, stream, unparsed } = intake(100);
    served.take(Buffer.alloc(4 * MIB));
    const counted = unparsed();
    stream.left = 0;
    await expect.poll(unparsed).toBe(0);
    expect(counted).toBe(4 * MIB);
  });
});

describe("C-16: the time of what is not complete", () => {
  it("begins with its first byte, whatever memory that takes", () => {
    const { served, stream, clock, failures } = intake(0);
    stream.half = { bytes: 1, memoryBytes: 0 };
    served.count();
    clock.advance(999);
    expect(failures()).toBe(0);
    clock.advance(1);
    expect(failures()).toBe(1);
  });

  it("begins anew when we read again, and no more once the transport has ended", () => {
    const { served, stream, clock, transport, failures } = intake(0);
    stream.half = { bytes: 100, memoryBytes: 100 };
    served.count();
    served.pause();
    clock.advance(999);
    served.resume();
    clock.advance(999);
    expect(failures()).toBe(0);
    clock.advance(1);
    expect(failures()).toBe(1);
    served.count();
    served.pause();
    transport.isClosed = true;
    served.stopWatching();
    served.resume();
    expect(clock.timers).toBe(0);
  });
});
