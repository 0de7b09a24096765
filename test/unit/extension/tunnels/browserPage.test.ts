import { once } from "node:events";
import { createServer, type Server } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  answersOnIpv6,
  browserName,
  findsNames,
  type PageDeps,
  pageAt,
  pageUrl,
} from "../../../../extension/src/tunnels/browserPage.ts";
import type { LocalTunnel } from "../../../../extension/src/tunnels/localTunnel.ts";

const TUNNEL: LocalTunnel = {
  id: "a",
  serverKey: "https://rport.example.com",
  clientId: "m1",
  clientName: "db-01",
  workspace: "",
  remote: { host: "127.0.0.1", port: 8_080 },
  localPort: 18_080,
  isOpen: true,
  connections: 0,
  failure: undefined,
  broke: undefined,
};
const URL_HERE = "http://127.0.0.1:18080/";
const USUAL: PageDeps = {
  wantsNames: () => true,
  forwarded: async (url) => url,
  finds: async () => true,
  isTaken: async () => false,
};

describe("the name under which a browser gets the page of a host", () => {
  it("begins with what the host is called, and is the same for each of its ports", () => {
    const name = browserName(TUNNEL);
    expect(name).toMatch(/^db-01-[0-9a-f]{24}\.localhost$/);
    expect(browserName({ ...TUNNEL, remote: { host: "localhost", port: 1 } })).toBe(name);
  });

  it("is never that of another host, another server, or another machine behind the host", () => {
    const others = [
      { ...TUNNEL, clientId: "m2" },
      { ...TUNNEL, serverKey: "https://rport.example.org" },
      { ...TUNNEL, remote: { host: "10.0.0.5", port: 8_080 } },
      { ...TUNNEL, remote: { host: "127.example.com", port: 8_080 } },
      { ...TUNNEL, serverKey: "", clientId: "https://rport.example.comm1" },
    ];
    const names = [TUNNEL, ...others].map(browserName);
    expect(new Set(names).size).toBe(names.length);
    expect(names[3]).toMatch(/^10-0-0-5-db-01-/);
  });

  it("is one that every browser takes for a name, whatever the host calls itself", () => {
    const called = fc.oneof(
      fc.string({ unit: "binary", maxLength: 80 }),
      fc.string({ unit: fc.constantFrom(..."xnXN-._ a1\u00DF"), maxLength: 80 }),
      fc.constantFrom("xn--a", "XN--ls8h", "---", "", "127.0.0.1", "\u212Aelvin", "a/../@b:1"),
    );
    fc.assert(
      fc.property(called, (clientName) => {
        const name = browserName({ ...TUNNEL, clientName });
        expect(name).toMatch(/^[a-z0-9](-?[a-z0-9]){0,62}\.localhost$/);
        expect(name.split(".")[0]?.length).toBeLessThanOrEqual(63);
        expect(new URL(`http://${name}:1/`).hostname).toBe(name);
      }),
    );
  });
});

describe("the address under which a browser gets the page of a tunnel", () => {
  const asked = (deps: Partial<PageDeps> = {}, tunnel: Partial<LocalTunnel> = {}) =>
    pageUrl(URL_HERE, { ...TUNNEL, ...tunnel }, { ...USUAL, ...deps });

  it("has the host's name", async () => {
    expect(await asked()).toBe(`http://${browserName(TUNNEL)}:18080/`);
  });

  it.each<[string, Partial<PageDeps>]>([
    ["the person does not want names", { wantsNames: () => false }],
    ["the editor forwards the port", { forwarded: async () => "https://me.example.com/proxy/1/" }],
    ["the browser does not find names", { finds: async () => false }],
    ["something else answers under the name", { isTaken: async () => true }],
  ])("has none where %s", async (_why, deps) => expect(await asked(deps)).toBe(URL_HERE));

  it.each(["127.0.0.2", "::1", "192.168.1.5"])("has none where %s is listened on", async (host) => {
    expect(await asked({}, { localHost: host })).toBe(URL_HERE);
  });

  it("has one on every system whose browsers find names by themselves", async () => {
    expect(await findsNames("linux", "a.localhost")).toBe(true);
    expect(await findsNames("win32", "a.localhost")).toBe(true);
    // the name of no computer, so that no system knows it
    expect(await findsNames("darwin", "a.invalid")).toBe(false);
    expect(await findsNames("darwin", "localhost")).toBe(true);
  });

  it("goes on as the host wrote it", () => {
    expect(pageAt("http://a.localhost:1/", "/lab?a=%2F&b=c%26d#e")).toBe(
      "http://a.localhost:1/lab?a=%2F&b=c%26d#e",
    );
    expect(pageAt("http://a.localhost:1/", "?a=b")).toBe("http://a.localhost:1/?a=b");
    expect(pageAt("http://a.localhost:1/", "")).toBe("http://a.localhost:1/");
  });

  it("is not that of another program of the same port", async () => {
    const portOf = (server: Server) => {
      const address = server.address();
      return typeof address === "object" ? (address?.port ?? 0) : 0;
    };
    const server = createServer().listen(0, "::1");
    await once(server, "listening");
    const port = portOf(server);
    expect(await answersOnIpv6(port)).toBe(true);
    server.close();
    await once(server, "close");
    expect(await answersOnIpv6(port)).toBe(false);
  });
});
