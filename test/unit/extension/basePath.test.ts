import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import type { Access, ReadyAccess } from "../../../extension/src/api/access.ts";
import { addressBelow } from "../../../extension/src/api/address.ts";
import { Api } from "../../../extension/src/api/http.ts";
import { openSocket } from "../../../extension/src/api/webSocket.ts";
import { eventually } from "../../support/eventually.ts";
import { snapshot } from "./entities.ts";
import { FakeServer } from "./fakeServer.ts";
import { serverOn } from "./serverFixture.ts";

/** A server that only notes what it is asked for. */
async function startListener() {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.writeHead(404).end();
  });
  server.on("upgrade", (request, socket) => {
    asked.push(request.url ?? "");
    socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    asked,
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

const accessTo = (url: string): ReadyAccess => ({ kind: "ready", url, authorization: "Bearer x" });

describe("a server below a path", () => {
  it("is asked below that path for everything", async () => {
    await using server = await startListener();
    const access = accessTo(`${server.origin}/rport`);
    const api = new Api({ access: async (): Promise<Access> => access, fetch });
    await expect(api.call("listClients", { query: { sort: "name" } })).rejects.toThrow();
    await expect(api.text("/p/1", 10)).rejects.toThrow();
    await new Promise((resolve) =>
      openSocket({ access, path: "/api/v1/ws/dial?port=1", maxMessageBytes: 10 }, resolve),
    );
    expect(server.asked).toEqual([
      "/rport/api/v1/clients?sort=name",
      "/rport/p/1",
      "/rport/api/v1/ws/dial?port=1",
    ]);
  });

  it("tells its events there", async () => {
    await using server = await FakeServer.start("/rport");
    server.greeting = snapshot({});
    using fixture = serverOn(server);
    fixture.server.connect();
    await eventually(() => expect(fixture.server.state.kind).toBe("connected"));
  });

  it.each([
    ["https://a.example", "/p/1", "https://a.example/p/1"],
    ["https://a.example/rport", "/p/1", "https://a.example/rport/p/1"],
    ["https://a.example/rport", "//b.example/p", "https://a.example/rport//b.example/p"],
  ])("of %j has %j at %j", (base, path, address) => {
    expect(addressBelow(base, path).href).toBe(address);
  });

  it.each([
    ["https://a.example", "@b.example/p"],
    ["https://a.example", ".b.example/p"],
    ["https://a.example", "1/p"],
    ["https://a.example/rport", "/../p"],
    ["https://a.example/rport", "/%2e%2e/p"],
    ["https://a.example/rport", "-other/p"],
  ])("of %j does not lead elsewhere by %j", (base, path) => {
    expect(() => addressBelow(base, path)).toThrow();
  });
});
