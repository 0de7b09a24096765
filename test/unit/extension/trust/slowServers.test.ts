import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { networkProbesWithin } from "../../../../extension/src/servers/checks/networkProbes.ts";
import { ownPinOf } from "../../../../extension/src/servers/ownPin.ts";

const WITHIN_MS = 800;
const HOST = "slow.example";

type Lookup = (
  host: string,
  options: object,
  found: (...answer: readonly unknown[]) => void,
) => void;

/** The name is found when most of the time is over. */
const lookup: Lookup = (_host, _options, found) => {
  setTimeout(() => found(null, [{ address: "127.0.0.1", family: 4 }]), WITHIN_MS * 0.75);
};

vi.mock("node:tls", async (original) => {
  const tls = await original<typeof import("node:tls")>();
  return { ...tls, connect: (options: object) => tls.connect({ ...options, lookup } as never) };
});

vi.mock("node:net", async (original) => {
  const net = await original<typeof import("node:net")>();
  return { ...net, connect: (options: object) => net.connect({ ...options, lookup } as never) };
});

/** Something that has half of the time more than there is; true when it was over before. */
async function isInTime(asked: Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(() => late.resolve(false), WITHIN_MS * 1.5);
  const over = asked.then(
    () => true,
    () => true,
  );
  return await Promise.race([over, late.promise]).finally(() => clearTimeout(timer));
}

describe("a server whose name is found late, and that then says nothing", () => {
  let server: Server;
  beforeAll(async () => {
    server = createServer((socket) => socket.on("error", () => undefined));
    await once(server.listen(0, "127.0.0.1"), "listening");
  });
  afterAll(() => {
    server.close();
  });
  const port = () => (server.address() as AddressInfo).port;

  it("is asked for its own certificate no longer than it has for all of it", async () => {
    const asked = ownPinOf(`https://${HOST}:${port()}`, WITHIN_MS);
    expect(await isInTime(asked)).toBe(true);
    expect(await asked).toBeUndefined();
  });

  it("has failed to show TLS after the time of a step, all in all", async () => {
    const asked = networkProbesWithin(WITHIN_MS).showTls({ host: HOST, port: port() });
    const failed = expect(asked).rejects.toMatchObject({ code: "ETIMEDOUT" });
    expect(await isInTime(asked)).toBe(true);
    await failed;
  });

  it("is reached in the time of a step where that is enough", async () => {
    const asked = networkProbesWithin(WITHIN_MS).reach({ host: HOST, port: port() });
    await expect(asked).resolves.toBeUndefined();
  });
});
