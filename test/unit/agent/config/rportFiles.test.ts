import { describe, expect, it } from "vitest";
import { replaceAuth } from "../../../../agent/src/config/authLine.ts";
import { parseConfig } from "../../../../agent/src/config/config.ts";

const FINGERPRINT = "2a:c8:79:09:80:ba:7c:60:05:e5:2c:99:6d:75:56:24";

const client = (more = "") =>
  `[client]\nserver = "h"\nfingerprint = "${FINGERPRINT}"\nauth = "id:secret"\n${more}`;
const parse = (text: string) => parseConfig(text, "rport.conf");

/** What RPort's own client starts with, and what ours makes of it. */
describe("C-04: a configuration that RPort's client loads", () => {
  it.each([
    ['tags = "edge,station4"', { tags: ["edge", "station4"] }],
    ['tags = "[edge, \\"a,b\\"]"', { tags: ["edge", "a,b"] }],
    ['tags = "one"', { tags: ["one"] }],
    ["tags = 5", { tags: ["5"] }],
    ["tags = [5, true]", { tags: ["5", "1"] }],
    ['tags = ""', { tags: [] }],
    ["name = 4711", { name: "4711" }],
    ["id = 4711", { id: "4711" }],
    ['use_hostname = "true"', { usesHostname: true }],
    ['use_hostname = "0"', { usesHostname: false }],
    ["use_system_id = 0", { usesSystemId: false }],
    ["labels = { floor = 3, old = true }", { labels: { floor: "3", old: "1" } }],
    ["labels = []", { labels: {} }],
    ["remotes = 22", { remotes: [expect.objectContaining({ rport: "22" })] }],
    ['remotes = "22,3389"', { remotes: [{ rport: "22" }, { rport: "3389" }] }],
    ["tunnel_allowed = 22", { tunnelAllowed: [{ port: 22 }] }],
    ['tunnel_allowed = "127.0.0.1:22,:80"', { tunnelAllowed: [{ port: 22 }, { port: 80 }] }],
    ['Tunnel_Allowed = ["22"]', { tunnelAllowed: [{ port: 22 }] }],
    ['fallback_servers = "a:1,b:2"', { servers: ["ws://h:80/", "ws://a:1/", "ws://b:2/"] }],
    ['[connection]\nheaders = "X-Site: 1"', { headers: [{ name: "X-Site", value: "1" }] }],
    ['[Connection]\nKeep_Alive = "30s"', { keepAliveMs: 30_000 }],
    ['[logging]\nlog_level = "ERROR"', { logLevel: "error" }],
    ["[LOGGING]\nlog_file = 7", { logFile: "7" }],
  ])("loads %s", (more, expected) => {
    expect(parse(client(more))).toMatchObject(expected);
  });

  it("loads names in any case", () => {
    const text = `[Client]\nServer = "h"\nFINGERPRINT = "${FINGERPRINT}"\nAuth = "id:secret"`;
    expect(parse(text)).toMatchObject({ servers: ["ws://h:80/"], credential: { authId: "id" } });
  });

  it("loads what nobody knows, and names it with what may have been meant", () => {
    const more = 'inventory_interval = "4h"\n[connection]\nkeepalive = "30s"\n[Futures]\nx = 1';
    const config = parse(client(more));
    expect(config.unknown).toEqual([
      "client.inventory_interval",
      "connection.keepalive (did you mean keep_alive?)",
      "futures",
    ]);
    expect(config.keepAliveMs).toBe(180_000);
  });

  it("takes auth and fingerprint from the environment where the file has none", () => {
    const environment = { RPORT_AUTH: "env:its secret", RPORT_FINGERPRINT: FINGERPRINT };
    const bare = parseConfig('[client]\nserver = "h"', "f", environment);
    expect(bare.credential).toEqual({ authId: "env", secret: "its secret" });
    expect(bare.fingerprint).toBe(FINGERPRINT);
    expect(parseConfig(client(), "f", environment).credential.authId).toBe("id");
    const missing = () => parseConfig('[client]\nserver = "h"', "f", { RPORT_AUTH: "" });
    expect(missing).toThrow("RPORT_AUTH");
  });

  it.each([
    'tunel_allowed = ["22"]',
    'tunnel_alowed = ["22"]',
    'tunnels_allowed = ["22"]',
    'tunnel-allowed = ["22"]',
    'tunnelAllowed = ["22"]',
    'allowed_tunnels = ["22"]',
    'tunnel_allow_list = ["22"]',
    'tunnle_allowed = ["22"]',
    '[connection]\ntunnel_allowed = ["22"]',
    "[tunnel_allowed]\na = 1",
    '[security]\ntunnel_allowed = ["22"]',
    '[remote-commands]\nTunnel_Allowed = ["22"]',
  ])("S-26: refuses %j, without which tunnels reach everything", (more) => {
    expect(() => parse(client(more))).toThrow(/Did you mean tunnel_allowed in \[client\]\?/);
  });
});

describe("a new secret", () => {
  it.each([
    ['[Client]\n# mine\nAuth = "id:old"\n', '[Client]\n# mine\nAuth = "id:new"\n'],
    ['[Client] # mine\nserver = "h"', '[Client] # mine\nauth = "id:new"\nserver = "h"'],
    ['Client.Auth = "id:old" # mine', 'Client.Auth = "id:new" # mine'],
  ])("S-32: is written to %j", (before, after) => {
    expect(replaceAuth(before, { authId: "id", secret: "new" })).toBe(after);
  });
});
