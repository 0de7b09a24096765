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
  const stream = {
    halfBytes: 0,
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
      transport: { isReady: true, isClosed: false, fail: () => {} },
      stream,
      carrier: { pause: () => {}, resume: () => {} },
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
  return { served, stream, unparsed: () => held.get("unparsed") ?? 0 };
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
