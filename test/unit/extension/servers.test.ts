import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tlsPinSchema } from "@rport/protocol/tls/tlsPin";
import { describe, expect, it } from "vitest";
import { unreadText } from "../../../extension/src/model/rows/serverRow.ts";
import { accessTo } from "../../../extension/src/servers/access.ts";
import { baseUrlOf, parseServers } from "../../../extension/src/servers/config.ts";
import { endpointFilePath, findLocalBackend } from "../../../extension/src/servers/local.ts";
import { meet } from "../../../extension/src/servers/signIn.ts";
import { type SecretStore, Tokens } from "../../../extension/src/servers/tokens.ts";
import type { Environment } from "../../../extension/src/support/environment.ts";
import { createLog } from "../../../extension/src/support/log.ts";
import { Redactor } from "../../../extension/src/support/redact.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeServer } from "./fakeServer.ts";
import { fleetOf, RELAY } from "./fleetFixture.ts";
import { serverOn } from "./serverFixture.ts";

const environment = (
  variables: Record<string, string>,
  platform = process.platform,
): Environment => ({
  platform,
  homeDirectory: "/home/me",
  uid: process.getuid?.(),
  variable: (name) => variables[name],
});

describe("the configured servers", () => {
  it.each([
    ["relay.example.com", "https://relay.example.com"],
    [" http://127.0.0.1:8080/some/path ", "http://127.0.0.1:8080/some/path"],
    ["relay.example.com/rport/", "https://relay.example.com/rport"],
    ["https://relay.example.com/a/../Rport//", "https://relay.example.com/Rport"],
    ["HTTPS://Relay.Example.com:443", "https://relay.example.com"],
    ["ftp://relay.example.com", undefined],
    ["https://me:secret@relay.example.com", undefined],
    ["https://relay.example.com/rport?x=1", undefined],
    ["https://relay.example.com/#rport", undefined],
    ["not a host", undefined],
    ["", undefined],
  ])("understands %j as %j", (text, origin) => {
    expect(baseUrlOf(text)).toBe(origin);
  });

  it("leaves out what cannot be used, and repetitions", () => {
    const setting = [
      { url: "https://a.example", name: "A" },
      { url: "https://a.example/", name: "again" },
      { url: "https://a.example/x" },
      { url: "javascript:alert(1)" },
      "nonsense",
      { url: "local" },
      { url: "local:/srv/rport" },
      // relative to what is open in the window
      { url: "local:data" },
    ];
    expect(parseServers(setting).map(({ name, url }) => [name, url])).toEqual([
      ["A", "https://a.example"],
      ["a.example/x", "https://a.example/x"],
      ["Local Backend", "local"],
      ["Local Backend (rport)", "local:/srv/rport"],
    ]);
    expect(parseServers("nonsense")).toEqual([]);
  });
});

describe("a change of the setting", () => {
  const url = RELAY;
  const fingerprint = "SHA256:of-the-relay";

  function relay() {
    const { fleet } = fleetOf(url);
    const told: string[] = [];
    fleet.configure([{ name: "Relay", url, fingerprint }]);
    fleet.changed.add(({ kind }) => told.push(kind));
    return { fleet, before: fleet.get(url), told };
  }

  it("gives a server another name and leaves its connection", () => {
    const { fleet, before, told } = relay();
    fleet.configure([{ name: "Relay of the team", url, fingerprint }]);
    expect(fleet.get(url)).toBe(before);
    expect(before?.name).toBe("Relay of the team");
    expect(told).toEqual(["servers"]);
  });

  it("tells nobody of a server that stays as it is", () => {
    const { fleet, told } = relay();
    fleet.configure([{ name: "Relay", url, fingerprint }]);
    fleet.configure([{ name: "Relay", url, fingerprint: "" }]);
    expect(told).toEqual([]);
  });

  it("begins anew with a server that is to have another key", () => {
    const { fleet, before } = relay();
    fleet.configure([{ name: "Relay", url, fingerprint: "SHA256:of-another" }]);
    expect(fleet.get(url)).not.toBe(before);
    expect(fleet.get(url)?.fingerprint).toBe("SHA256:of-another");
  });
});

describe("the local backend", () => {
  const endpoint = {
    url: "http://127.0.0.1:8080",
    token: "t0ken",
    fingerprint: "SHA256:x",
    pid: 1,
  };

  async function find(content: string, mode = 0o600) {
    const folder = await mkdtemp(join(tmpdir(), "endpoint-"));
    const file = join(folder, "endpoint.json");
    await writeFile(file, content);
    await chmod(file, mode);
    const found = await findLocalBackend(environment({ RPORT_ENDPOINT_FILE: file }));
    await rm(folder, { recursive: true });
    return found;
  }

  it.each([
    [{ RPORT_ENDPOINT_FILE: "/x/e.json" }, "linux", "/x/e.json"],
    [{ XDG_STATE_HOME: "/state" }, "linux", "/state/rport/endpoint.json"],
    [{}, "darwin", "/home/me/.local/state/rport/endpoint.json"],
  ] as const)("is looked for as %j on %s says", (variables, platform, path) => {
    expect(endpointFilePath(environment(variables, platform))).toBe(path);
  });

  it("is found by its endpoint file", async () => {
    expect(await find(JSON.stringify(endpoint))).toEqual({ kind: "found", endpoint });
  });

  it("is not believed when others can read or write the file", async () => {
    expect(await find(JSON.stringify(endpoint), 0o644)).toMatchObject({
      kind: "absent",
      reason: expect.stringContaining("other users"),
    });
  });

  it.each([
    ["another computer", JSON.stringify({ ...endpoint, url: "http://evil.example:8080" })],
    ["another version", JSON.stringify({ address: "x" })],
    ["No backend is running", "not json"],
    ["not ours", "x".repeat(20_000)],
  ])("says %j for a file that cannot be used", async (reason, content) => {
    expect(await find(content)).toMatchObject({ reason: expect.stringContaining(reason) });
  });

  it("is not running when there is no file", async () => {
    const found = await findLocalBackend(environment({ RPORT_ENDPOINT_FILE: "/nowhere/at/all" }));
    expect(found).toEqual({ kind: "absent", reason: "No backend is running on this computer." });
  });
});

describe("a pinned TLS key", () => {
  const tlsPin = tlsPinSchema.parse(`sha256//${"A".repeat(43)}=`);
  const sentence = /tlsPin.*http:\/\/.*https:\/\//;

  it("of an address without TLS is said, and nobody is connected to or shown a token", async () => {
    await using fake = await FakeServer.start();
    const config = { name: "relay", url: fake.url, fingerprint: "", tlsPin };
    const redactor = new Redactor();
    const kept = JSON.stringify({ token: "secret-token", made: true });
    const store = { get: async () => kept, store: async () => {}, delete: async () => {} };
    const tokens = new Tokens({ store, redactor });
    const deps = { environment: environment({}), tokens, redactor };
    const refused = { kind: "unavailable", reason: expect.stringMatching(sentence) };
    expect(await accessTo(config, deps)()).toEqual(refused);
    await expect(meet({ url: fake.url, tlsPin, fetch })).rejects.toThrow(sentence);
    expect(fake.requests).toEqual([]);
  });
});

describe("tokens", () => {
  function storeOf(map: Map<string, string>): SecretStore {
    return {
      get: async (key) => map.get(key),
      store: async (key, value) => void map.set(key, value),
      delete: async (key) => void map.delete(key),
    };
  }

  it("are found only under the address they were kept for (S-14)", async () => {
    const tokens = new Tokens({ store: storeOf(new Map()), redactor: new Redactor() });
    await tokens.set("https://a.example", { token: "secret-of-a", made: true });
    expect(await tokens.get("https://a.example")).toBe("secret-of-a");
    expect(await tokens.get("https://a.example:8443")).toBeUndefined();
    expect(await tokens.get("http://a.example")).toBeUndefined();
    await tokens.delete("https://a.example");
    expect(await tokens.get("https://a.example")).toBeUndefined();
  });

  it("are kept nowhere else where the keyring takes nothing, which is said", async () => {
    const broken: SecretStore = {
      get: () => Promise.reject(new Error("no keyring")),
      store: (_, value) => Promise.reject(new Error(`cannot encrypt ${value}`)),
      delete: () => Promise.reject(new Error("no keyring")),
    };
    const tokens = new Tokens({ store: broken, redactor: new Redactor() });
    const kept = { token: "secret-of-a", made: true };
    const why = await tokens.set("https://a.example", kept);
    expect(why).toMatch(/^cannot encrypt/);
    expect(why).not.toContain("secret-of-a");
    await expect(tokens.get("https://a.example")).rejects.toThrow(/keyring .*: no keyring/);
    tokens.holdForSession("https://a.example", kept);
    expect(await tokens.kept("https://a.example")).toEqual(kept);
    expect(await tokens.delete("https://a.example")).toBe("no keyring");
    await expect(tokens.get("https://a.example")).rejects.toThrow("no keyring");
  });

  it("that a keyring does not give are no reason to call the server unreachable", async () => {
    const store = { get: () => Promise.reject(new Error("it is locked")) };
    const redactor = new Redactor();
    const tokens = new Tokens({
      store: { ...store, store: async () => undefined, delete: async () => undefined },
      redactor,
    });
    const config = { name: "relay", url: "https://a.example", fingerprint: "" };
    const deps = { environment: environment({}), tokens, redactor };
    const access = await accessTo(config, deps)();
    expect(access).toMatchObject({ kind: "noToken", why: expect.stringContaining("it is locked") });
    await using fake = await FakeServer.start();
    using fixture = serverOn(fake, { access: async () => access });
    fixture.server.connect();
    await eventually(() => expect(fixture.server.state.kind).toBe("signedOut"));
    expect(unreadText(fixture.server.state)).toMatch(
      /^The keyring of this computer does not give the sign-in: it is locked/,
    );
    await expect(fixture.server.api.call("getStatus")).rejects.toThrow("it is locked");
    expect(fixture.clock.timers).toBe(0);
  });

  it("count as absent when the store holds something else", async () => {
    const store = storeOf(new Map([["rport.token:https://a.example", "{}"]]));
    const tokens = new Tokens({ store, redactor: new Redactor() });
    expect(await tokens.get("https://a.example")).toBeUndefined();
  });
});

describe("the log", () => {
  it("never shows a token it was told, nor one with a telling name (S-23)", () => {
    const redactor = new Redactor();
    redactor.add("canary-canary");
    const lines: string[] = [];
    const write = (line: string) => void lines.push(line);
    const sink = { debug: write, info: write, warn: write, error: write };
    const log = createLog(sink, redactor);
    log.info("sent canary-canary", { url: "ws://h/?access_token=other-canary&x=1" });
    log.error("Authorization: Bearer third-canary", { password: "fourth-canary" });
    expect(lines.join("\n")).not.toMatch(/canary/);
    expect(lines[0]).toContain("x=1");
  });
});
