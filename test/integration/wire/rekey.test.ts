import { describe, expect, it } from "vitest";
import { inParallel, transfer, transferTarget } from "../../support/wire/transfers.ts";
import { connectPair } from "../../support/wire/wirePair.ts";
import {
  dialTarget,
  exchange,
  pattern,
  sha256,
  tcpServer,
  tunnel,
} from "../../support/wire/wireTunnel.ts";

const REKEY_BYTES = 2 << 20;

describe("while both ends ask for new keys every 2 MB", () => {
  it("200 transfers in both directions arrive intact", async () => {
    await using target = await transferTarget();
    await using pair = await connectPair({
      limits: { rekeyBytes: REKEY_BYTES },
      server: { halfClose: true },
      client: { halfClose: true, onOpen: dialTarget() },
    });
    await using entry = await tunnel(pair.server, target.port);
    expect(await inParallel(200, (index) => transfer(entry.port, index))).toBe(200);
    expect(pair.server.transport.counters.rekeys).toBeGreaterThan(20);
    await expect.poll(() => pair.server.channelCount + pair.client.channelCount).toBe(0);
  });

  it("80 of 80 targets that answer only after the end of the question are heard", async () => {
    await using target = await tcpServer((socket) => {
      const chunks: Buffer[] = [];
      socket.on("data", (chunk) => chunks.push(chunk));
      socket.on("end", () => socket.end(sha256(Buffer.concat(chunks))));
    });
    await using pair = await connectPair({
      limits: { rekeyBytes: REKEY_BYTES },
      server: { halfClose: true },
      client: { halfClose: true, onOpen: dialTarget() },
    });
    await using entry = await tunnel(pair.server, target.port);
    const good = await inParallel(80, async (index) => {
      const data = pattern((index % 40) * 50_000 + 1, index);
      return (await exchange(entry.port, data, "half-close")).toString() === sha256(data);
    });
    expect(good).toBe(80);
    expect(pair.server.transport.counters.rekeys).toBeGreaterThan(10);
    await expect.poll(() => pair.server.channelCount + pair.client.channelCount).toBe(0);
  });
});

describe("a key exchange", () => {
  it("started by both ends at once ends in one set of keys", async () => {
    await using pair = await connectPair({ server: { onRequest: (_name, payload) => payload } });
    for (let round = 0; round < 10; round += 1) {
      pair.server.transport.rekey();
      pair.client.transport.rekey();
      const { payload } = await pair.client.request("echo", Buffer.from(`${round}`));
      expect(payload.toString()).toBe(`${round}`);
    }
    expect(pair.client.transport.counters.rekeys).toBe(10);
  });

  it("holds back what is sent meanwhile, in order", async () => {
    const seen: string[] = [];
    await using pair = await connectPair({
      server: {
        onRequest(name) {
          seen.push(name);
          return undefined;
        },
      },
    });
    pair.client.notify("before", Buffer.alloc(0));
    pair.client.transport.rekey();
    for (const name of ["a", "b", "c"]) pair.client.notify(name, Buffer.alloc(0));
    await pair.client.request("after");
    expect(seen).toEqual(["before", "a", "b", "c", "after"]);
  });
});
