import { describe, expect, it } from "vitest";
import { connectPair } from "../../support/wirePair.ts";
import {
  dialTarget,
  exchange,
  pattern,
  sha256,
  type TcpServer,
  tcpServer,
  tunnel,
} from "../../support/wireTunnel.ts";

const REKEY_BYTES = 2 << 20;
const PARALLEL = 8;

/** Takes 8 bytes of sizes, that much data, and answers its hash and as much as was asked for. */
function transferTarget(): Promise<TcpServer> {
  return tcpServer((socket) => {
    let received = Buffer.alloc(0);
    const chunks: Buffer[] = [];
    let size = 0;
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size < 8) return;
      const head = Buffer.concat(chunks);
      chunks.splice(0, chunks.length, head);
      received = head;
      const [up, down] = [received.readUInt32BE(0), received.readUInt32BE(4)];
      if (size !== 8 + up) return;
      socket.end(Buffer.concat([Buffer.from(sha256(received.subarray(8))), pattern(down, up)]));
    });
  });
}

async function transfer(port: number, index: number): Promise<boolean> {
  const up = index % 7 === 0 ? index % 3 : ((index * 2_654_435_761) % 1000) * 500 + 1;
  const down = index % 5 === 0 ? index % 2 : ((index * 40_503) % 1000) * 500 + 1;
  const head = Buffer.alloc(8);
  head.writeUInt32BE(up, 0);
  head.writeUInt32BE(down, 4);
  const data = pattern(up, index);
  const answer = await exchange(port, Buffer.concat([head, data]), "stay");
  const expected = Buffer.concat([Buffer.from(sha256(data)), pattern(down, up)]);
  return answer.equals(expected);
}

async function inParallel(
  count: number,
  run: (index: number) => Promise<boolean>,
): Promise<number> {
  let next = 0;
  let good = 0;
  const worker = async () => {
    for (let index = next++; index < count; index = next++) if (await run(index)) good += 1;
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return good;
}

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
