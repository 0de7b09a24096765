import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Config } from "../../../../backend/src/config/config.ts";
import { readConfig } from "../../../../backend/src/config/config.ts";
import { StartFailure } from "../../../../backend/src/platform/startFailure.ts";
import { warningsOf } from "../../../../backend/src/startWarnings.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

interface Given {
  readonly argv?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

function read({ argv = [], environment = {} }: Given): Config {
  const invocation = readConfig({ argv, environment, platform: "linux", home: "/home/me" });
  if (invocation.kind === "print") throw new Error(invocation.text);
  return invocation.config;
}

async function withFile(text: string, given: Given = {}): Promise<Config> {
  await using directory = await tempDirectory();
  const path = join(directory.path, "rport.toml");
  writeFileSync(path, text);
  return read({ ...given, argv: ["-c", path, ...(given.argv ?? [])] });
}

async function failure(run: () => Config | Promise<Config>): Promise<StartFailure> {
  try {
    await run();
  } catch (caught) {
    if (caught instanceof StartFailure) return caught;
    throw caught;
  }
  throw new Error("no failure");
}

describe("the configuration", () => {
  it("without anything is a server on one's own machine", () => {
    const config = read({});
    expect(config).toMatchObject({
      dataDir: "/home/me/.local/state/rport",
      serverAddress: { host: "127.0.0.1", port: 8080 },
      serverUrls: [],
      keySeed: undefined,
      trustedProxies: [],
      passwordMinLength: 12,
      signIn: { passwordMinLength: 12, totpRequired: false },
      tunnels: { bind: undefined, ports: [{ from: 20_000, to: 30_000 }] },
      recordsTerminals: false,
      limits: {},
      pairing: { ttlS: 600 },
      logging: { level: "info", file: undefined },
    });
    expect(config.apiAddress).toBe(config.serverAddress);
  });

  it("takes every key of the file", async () => {
    const config = await withFile(`
      [server]
      address = "0.0.0.0:80"
      data_dir = "/var/lib/rport-backend"
      key_seed = "a long enough seed"
      url = ["https://rport.example", "http://192.0.2.1:8080"]
      used_ports = "30000-30100"
      trusted_proxies = ["10.0.0.0/8", "2001:db8::1"]
      client_auth_password_min_length = 20
      [api]
      address = "[::1]:3000"
      password_min_length = 16
      totp_required = true
      [tunnels]
      bind = "0.0.0.0"
      [terminals]
      record = true
      [pairing]
      ttl = "5m"
      [limits]
      pending_sockets = 2048
      [logging]
      log_level = "debug"
      log_file = "/var/log/rport.log"
    `);
    expect(config).toEqual({
      acceptLostChanges: false,
      tls: {},
      printAdminCode: false,
      dataDir: "/var/lib/rport-backend",
      serverAddress: { host: "0.0.0.0", port: 80 },
      apiAddress: { host: "::1", port: 3000 },
      serverUrls: ["https://rport.example", "http://192.0.2.1:8080"],
      keySeed: "a long enough seed",
      trustedProxies: ["10.0.0.0/8", "2001:db8::1"],
      passwordMinLength: 20,
      signIn: { passwordMinLength: 16, totpRequired: true },
      tunnels: { bind: "0.0.0.0", ports: [{ from: 30_000, to: 30_100 }] },
      recordsTerminals: true,
      limits: { pending_sockets: 2_048 },
      pairing: { ttlS: 300 },
      logging: { level: "debug", file: "/var/log/rport.log" },
    });
  });

  it("lets flags win over the environment, and the environment over the file", async () => {
    const file =
      '[server]\naddress = "10.0.0.1:1"\nused_ports = "1-2"\n[logging]\nlog_level = "error"';
    const environment = {
      RPORT_SERVER_ADDRESS: "10.0.0.2:2",
      RPORT_LOGGING_LOG_LEVEL: "warn",
      RPORT_SERVER_URL: "http://a.example, http://b.example",
      RPORT_SERVER_TRUSTED_PROXIES: "10.0.0.1, 10.0.0.2",
      RPORT_SERVER_CLIENT_AUTH_PASSWORD_MIN_LENGTH: "8",
    };
    const config = await withFile(file, { environment, argv: ["--address=10.0.0.3:3"] });
    expect(config).toMatchObject({
      serverAddress: { host: "10.0.0.3", port: 3 },
      logging: { level: "warn" },
      tunnels: { ports: [{ from: 1, to: 2 }] },
      serverUrls: ["http://a.example", "http://b.example"],
      trustedProxies: ["10.0.0.1", "10.0.0.2"],
      passwordMinLength: 8,
    });
  });

  it.each([
    ['"20000-20050"', [{ from: 20_000, to: 20_050 }]],
    [
      '["20000-20050", "9000"]',
      [9_000, 20_000].map((from) => ({ from, to: from === 9_000 ? 9_000 : 20_050 })),
    ],
    ['["1-5", "4-9", "10"]', [{ from: 1, to: 10 }]],
  ])("takes ports for tunnels in RPort's form, too: %s", async (given, ports) => {
    const config = await withFile(`[server]\nused_ports = ${given}`);
    expect(config.tunnels.ports).toEqual(ports);
    const environment = { RPORT_SERVER_USED_PORTS: "20000-20050, 9000" };
    const { tunnels } = read({ environment });
    expect(tunnels.ports).toHaveLength(2);
  });

  it("is found through RPORT_CONFIG, with only the port replaced by --port", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "x.toml");
    writeFileSync(path, '[server]\naddress = ":9000"\n');
    const config = read({ argv: ["--port", "0"], environment: { RPORT_CONFIG: path } });
    expect(config.serverAddress).toEqual({ host: "0.0.0.0", port: 0 });
  });

  it.each([
    ["linux", { XDG_STATE_HOME: "/state" }, "/state/rport"],
    ["linux", { XDG_STATE_HOME: "" }, "/home/me/.local/state/rport"],
    ["win32", { LOCALAPPDATA: "/local" }, "/local/rport"],
  ] as const)("keeps data where %s keeps it, given %o", (platform, environment, expected) => {
    const invocation = readConfig({ argv: [], environment, platform, home: "/home/me" });
    expect(invocation.kind === "run" && invocation.config.dataDir).toBe(expected);
  });

  it.each([["--help"], ["-h"], ["--version"]])("prints and does not start with %s", (flag) => {
    const invocation = readConfig({ argv: [flag], environment: {}, platform: "linux", home: "/" });
    expect(invocation).toMatchObject({
      kind: "print",
      text: expect.stringContaining("rport-backend"),
    });
  });
});

describe("RPort's own settings", () => {
  it("may exclude ports of those that are used", async () => {
    const config = await withFile(`[server]
      used_ports = ['1000-2000', '9000', '9090']
      excluded_ports = ['1-1024', '1500-1510', '9090']`);
    expect(config.tunnels.ports).toEqual([
      { from: 1_025, to: 1_499 },
      { from: 1_511, to: 2_000 },
      { from: 9_000, to: 9_000 },
    ]);
    expect((await withFile("[server]\nexcluded_ports = []")).tunnels.ports).toHaveLength(1);
    const none = await failure(() => withFile('[server]\nexcluded_ports = "1-65535"'));
    expect(none.message).toContain("leaves no port");
  });

  it("may have a short key seed, which is warned of", async () => {
    const config = await withFile('[server]\nkey_seed = "5448"');
    expect(config.keySeed).toBe("5448");
    expect(warningsOf(config).join()).toContain("fewer than 16 characters");
    expect(warningsOf(config).join()).not.toContain("5448");
    expect(warningsOf(await withFile('[server]\nkey_seed = "a long enough seed"'))).toEqual([]);
    expect(warningsOf(read({}))).toEqual([]);
  });
});

describe("a wrong configuration stops the start, says what is wrong and exits 2", () => {
  it.each([
    ['[server]\nadress = "x:1"', 'no key in [server] "adress". Did you mean "address"?'],
    ["[servr]", 'no section "servr". Did you mean "server"?'],
    ["[server]\nno_such_key = true", "Allowed: address, data_dir, key_seed, url, used_ports"],
    [
      "[server]\nsqlite_wal = true",
      "RPort's [server] sqlite_wal has no effect here: take the line",
    ],
    ['[server]\naddress = "8080"', 'server.address = "8080" has to be host:port'],
    ['[server]\naddress = "a:70000"', 'server.address = "a:70000" has to be host:port'],
    ['[server]\nused_ports = "9-1"', 'server.used_ports = "9-1" has to be ports, such as'],
    ['[server]\nused_ports = ["1-2", "x"]', "has to be ports, such as 20000-30000 or ["],
    ["[server]\nused_ports = 8080", "server.used_ports"],
    ["[server]\nclient_auth_password_min_length = 1", "is less than 3"],
    ['[server]\nurl = "ftp://x"', "http:// or https://"],
    ['[server]\ntrusted_proxies = ["proxy.example"]', "has to be an address or a network"],
    ['[server]\ntrusted_proxies = ["10.0.0.0/33"]', "has to be an address or a network"],
    ['[server]\ntrusted_proxies = ["0.0.0.0/0"]', "has to be an address or a network"],
    ['[server]\ntrusted_proxies = ["10.0.0.1/0"]', "has to be an address or a network"],
    ['[server]\ntrusted_proxies = ["::1/0"]', "has to be an address or a network"],
    ['[server]\ntrusted_proxies = ["::ffff:10.0.0.1/96"]', "has to be an address or a network"],
    ['[server]\ntrusted_proxies = "10.0.0.1"', "has to be of type array"],
    ['[logging]\nlog_level = "loud"', "has to be one of debug, info, warn, error"],
    ['[tunnels]\nbind = "localhost"', "has to be an IP address"],
    ['[pairing]\nttl = "2h"', "a duration from 1m to 1h"],
    ["[server]\naddress = 8080", "server.address = 8080 has to be of type string"],
    ["server = 1", "server = 1 has to be of type object"],
    ["[server\n", "is not TOML (line 1"],
  ])("%j", async (text, expected) => {
    const { message, exitCode } = await failure(() => withFile(text));
    expect(message).toContain(expected);
    expect(message).toContain("rport.toml");
    expect(exitCode).toBe(2);
  });

  it.each([
    [["--prot", "1"], '"--prot". Did you mean "--port"?'],
    [["--port", "x"], "--port"],
    [["--port"], "--port needs a value"],
    [["--data-dir="], "--data-dir needs a value"],
    [["--address", "x"], '--address = "x" has to be host:port'],
    [["start"], 'there is no command or flag "start"'],
    [["--port", "--address", "h:1"], "--port needs a value"],
    [["--version=1"], "--version takes no value"],
    [["-c", "/nonexistent/x.toml"], "/nonexistent/x.toml cannot be read"],
  ])("command line %j", async (argv, expected) => {
    const { message, exitCode } = await failure(() => read({ argv }));
    expect(message).toContain(expected);
    expect(exitCode).toBe(2);
  });

  it.each([
    ["RPORT_SERVER_ADRESS", "x:1", "Did you mean"],
    ["RPORT_SERVER_ADDRESS", "x", 'RPORT_SERVER_ADDRESS = "x" has to be host:port'],
    ["RPORT_SERVER_CLIENT_AUTH_PASSWORD_MIN_LENGTH", "many", "has to be of type"],
  ])("variable %s=%s", async (name, value, expected) => {
    const { message } = await failure(() => read({ environment: { [name]: value } }));
    expect(message).toContain(expected);
  });

  it("never repeats the key seed", async () => {
    const empty = await failure(() => withFile("[server]\nkey_seed = 777888"));
    const broken = await failure(() => withFile('[server]\nkey_seed = "s3cret-s3cret-s3cret'));
    expect(`${empty.message}${broken.message}`).not.toMatch(/777888|s3cret/);
  });

  it("says of each key of an rportd.conf that has no effect here what to do instead", async () => {
    const { message } = await failure(() =>
      withFile(`
        [server]
        address = "0.0.0.0:8080"
        key_seed = "<YOUR_SEED>"
        auth_file = "/var/lib/rport/client-auth.json"
        used_ports = ['20000-30000']
        excluded_ports = ['1-1024']
        [api]
        address = "0.0.0.0:3000"
        doc_root = "/var/lib/rport/docroot"
        enable_acme = true
        [database]
        db_type = "sqlite"
      `),
    );
    for (const name of [
      "[server] auth_file",
      "[api] doc_root",
      "[api] enable_acme",
      "[database]",
    ]) {
      expect(message).toContain(`RPort's ${name} has no effect here: `);
    }
    expect(message).toContain("import-credentials");
    expect(message.split("\n")).toHaveLength(4);
    expect(message).not.toContain("YOUR_SEED");
  });
});
