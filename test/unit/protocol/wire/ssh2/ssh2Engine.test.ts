import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Ssh2Engine } from "@rport/protocol/wire/ssh2/ssh2Engine";
import { describe, expect, it } from "vitest";
import { clearPacket, kexinit } from "../../../../support/wire/kexinit.ts";
import { SERVER_KEY } from "../../../../support/wire/wirePair.ts";

const JUNK_BYTES = 32_000;
const PEERS = 400;

/** A server that has heard the peer's line. */
function server(): Ssh2Engine {
  const engine = new Ssh2Engine(
    { role: "server", serverKey: SERVER_KEY },
    Buffer.from("SSH-rport-v1-server"),
    {
      limit: { packetBytes: 35_000 },
      events: {
        onWrite: () => {},
        onError: (error) => {
          throw error;
        },
        onExchanged: () => {},
        onPayload: () => "pass",
        handlers: {},
      },
    },
  );
  engine.start("SSH-rport-v1-client");
  return engine;
}

/** What is in use of the heap once all garbage is gone; buffers are not in it. */
function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  collect();
  return process.memoryUsage().heapUsed;
}

describe("an engine in a key exchange", () => {
  it("C-12: keeps nothing of the lists that the peer sent, however long they were", () => {
    const engines = Array.from({ length: PEERS }, server);
    const before = heapBytes();
    for (const engine of engines) engine.parse(clearPacket(kexinit(JUNK_BYTES)));
    const kept = heapBytes() - before;
    expect(engines.every(({ isExchanging }) => isExchanging)).toBe(true);
    // As two bytes for each character the lists are 25 MB.
    expect(kept).toBeLessThan(8e6);
  });

  it("says what it keeps of the peer's bytes: its KEXINIT, and a packet that is not complete", () => {
    const engine = server();
    const kept = () => [engine.half.memoryBytes, engine.exchangeBytes];
    expect(kept()).toEqual([0, 0]);
    const payload = kexinit(JUNK_BYTES);
    const packet = clearPacket(payload);
    engine.parse(packet.subarray(0, 1_000));
    expect(kept()).toEqual([packet.length - 4, 0]);
    expect(engine.half.bytes).toBe(1_000);
    engine.parse(packet.subarray(1_000));
    expect(engine.half.bytes).toBe(0);
    engine.parse(packet.subarray(0, 1));
    expect(engine.half).toEqual({ bytes: 1, memoryBytes: 0 });
    engine.parse(packet.subarray(1, 4));
    expect(kept()).toEqual([0, payload.length]);
  });
});
