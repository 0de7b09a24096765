import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../../agent/src/config/config.ts";

const FINGERPRINT = "2a:c8:79:09:80:ba:7c:60:05:e5:2c:99:6d:75:56:24";

/** A configuration as RPort's own installer leaves it, with everything switched on. */
const RPORT_SAMPLE = `
## This is the configuration of an RPort client
[client]
  server = "rport.example.org:8080"
  fallback_servers = ["https://fallback.example.org"]
  server_switchback_interval = "2m"
  fingerprint = "${FINGERPRINT}"
  auth = "clientAuth1:pass:with:colons"
  proxy = ""
  use_system_id = true
  #id = ""
  use_hostname = true
  #name = "my_win_vm_1"
  attributes_file_path = "/var/lib/rport/client_attributes.json"
  tags = ['win', 'server', 'vm']
  remotes = ["22", "2222:127.0.0.1:22", '192.0.2.5:5353:192.0.2.53:53/udp']
  tunnel_allowed = ["127.0.0.1:22", "192.0.2.0/24", ":3389"]
  allow_root = false
  updates_interval = '4h'
  data_dir = "/var/lib/rport"
  ip_api_url = ""
  ip_refresh_min = 30
[connection]
  keep_alive = "3m"
  keep_alive_timeout = '30s'
  max_retry_count = -1
  max_retry_interval = "5m"
  headers = ["X-Site: lab:1", "User-Agent: test client"]
  hostname = "example.com"
  watchdog_integration = false
[logging]
  log_file = "/var/log/rport/rport.log"
  log_level = "error"
[remote-commands]
  enabled = true
  send_back_limit = 4194304
  allow = ['^/usr/bin/.*']
  order = ['allow','deny']
[remote-scripts]
  enabled = false
[monitoring]
  enabled = true
  interval = 60
  net_lan = ['eth0' , '1000' ]
[file-reception]
  protected = ['/bin']
  enabled = true
[interpreter-aliases]
  pwsh7 = 'C:\\Program Files\\PowerShell\\7\\pwsh.exe'
`;

const minimal = (more = "") =>
  `[client]\nserver = "h"\nfingerprint = "${FINGERPRINT}"\nauth = "id:top-secret"\n${more}`;

function refusalOf(text: string): string {
  try {
    parseConfig(text, "rport.conf");
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
  return "";
}

describe("rport.conf", () => {
  it("loads a configuration made for RPort, and lists what has no effect", () => {
    const config = parseConfig(RPORT_SAMPLE, "rport.conf");
    expect(config).toMatchObject({
      servers: ["ws://rport.example.org:8080/", "wss://fallback.example.org:443/"],
      switchbackMs: 120_000,
      fingerprint: FINGERPRINT,
      credential: { authId: "clientAuth1", secret: "pass:with:colons" },
      usesSystemId: true,
      tags: ["win", "server", "vm"],
      keepAliveMs: 180_000,
      keepAliveTimeoutMs: 30_000,
      headers: [
        { name: "X-Site", value: "lab:1" },
        { name: "User-Agent", value: "test client" },
      ],
      hostHeader: "example.com",
      attributesFile: "/var/lib/rport/client_attributes.json",
      logLevel: "error",
      dataDir: "/var/lib/rport",
    });
    expect(config.remotes[2]).toMatchObject({ lhost: "192.0.2.5", rport: "53", protocol: "udp" });
    expect(config.ignored).toEqual([
      "client.allow_root",
      "client.updates_interval",
      "client.ip_api_url",
      "client.ip_refresh_min",
      "connection.max_retry_count",
      "connection.max_retry_interval",
      "connection.watchdog_integration",
      "remote-commands",
      "remote-scripts",
      "monitoring",
      "file-reception",
      "interpreter-aliases",
    ]);
  });

  it("has RPort's defaults", () => {
    expect(parseConfig(minimal(), "f")).toMatchObject({
      keepAliveMs: 180_000,
      keepAliveTimeoutMs: 30_000,
      switchbackMs: 120_000,
      tunnelAllowed: [],
      logLevel: "info",
      ignored: [],
    });
  });

  it.each([
    ["a wrong type", minimal("tags = { a = 1 }"), /client\.tags must be a list/],
    ["a wrong type inside a list", minimal("tags = [[5]]"), /client\.tags\.0 must be a text/],
    [
      "a flag that is none",
      minimal('use_hostname = "maybe"'),
      /use_hostname must be true or false/,
    ],
    ["two spellings of a key", minimal("Server = 'x'"), /client\.server is there in two spellings/],
    ["a wrong duration", minimal('[connection]\nkeep_alive = "3 minutes"'), /must be a duration/],
    ["a wrong rule", minimal('tunnel_allowed = ["localhost"]'), /tunnel_allowed\.0 must be an IP/],
    ["a wrong remote", minimal('remotes = ["a:b"]'), /remotes\.0 must be/],
    [
      "an unknown kind of proxy",
      minimal('proxy = "socks4://p:1"'),
      /client\.proxy must begin with/,
    ],
    ["a proxy without a host", minimal('proxy = "http://"'), /client\.proxy is not an address/],
    ["a proxy with a path", minimal('proxy = "http://p/x"'), /client\.proxy must end behind/],
    [
      "a login in no form",
      minimal('proxy = "http://a:%ff@p"'),
      /client\.proxy has a login that can/,
    ],
    [
      "a proxy with a bare %",
      minimal("proxy = 'http://jdoe:100%pure@h:3128'"),
      /client\.proxy has a % in its login, which has to be written %25/,
    ],
    [
      "a proxy with a backslash",
      minimal("proxy = 'http://CORP\\jdoe:secret@h:3128'"),
      /client\.proxy has a \\ in its login, which has to be written %5C/,
    ],
    [
      "a proxy with a slash",
      minimal("proxy = 'http://a:b/c@h:3128'"),
      /client\.proxy has a \/ in its login, which has to be written %2F/,
    ],
    [
      "a proxy with a question mark",
      minimal("proxy = 'socks5://a:b?c@h:3128'"),
      /client\.proxy has a \? in its login, which has to be written %3F/,
    ],
    [
      "a proxy with a number sign",
      minimal("proxy = 'http://a:1#c@h:3128'"),
      /client\.proxy has a # in its login, which has to be written %23/,
    ],
    ["a proxy with a fragment", minimal('proxy = "http://p:1#x"'), /client\.proxy must end behind/],
    ["a colon in a user's name", minimal('proxy = "http://a%3Ab:c@p"'), /colon in its user name/],
    [
      "a header that cannot be sent",
      minimal('[connection]\nheaders = ["X-Site: caf\u20ac"]'),
      /connection\.headers\.0 has letters that no header/,
    ],
    [
      "a Host header that cannot be sent",
      minimal('[connection]\nhostname = "a b"'),
      /connection\.hostname must be a host name/,
    ],
    ["a number for a duration", minimal("[connection]\nkeep_alive = 25"), /nanoseconds.*unit/],
    [
      "no time for an answer",
      minimal('[connection]\nkeep_alive_timeout = "0s"'),
      /keep_alive_timeout must be longer/,
    ],
    [
      "a server at port 0",
      minimal("").replace('"h"', '"h:0"'),
      /client\.server names port 0, where nobody listens/,
    ],
    [
      "a remote with an endless name",
      minimal(`remotes = ["${"x".repeat(3_000)}:22"]`),
      /remotes\.0 must be/,
    ],
    [
      "a login too long for SOCKS",
      minimal(`proxy = "socks5://a:${"x".repeat(256)}@p"`),
      /client\.proxy has a login that is too long/,
    ],
    ["a wrong level", minimal('[logging]\nlog_level = "trace"'), /one of error, warn, info, debug/],
    ["a header without a colon", minimal('[connection]\nheaders = ["X"]'), /must be "Name: value"/],
    ["no section at all", "", /client is missing/],
    [
      "no fingerprint",
      '[client]\nserver = "h"\nauth = "a:b"',
      /client\.fingerprint is missing.*RPORT_FINGERPRINT.*anybody on the way could pass/,
    ],
  ])("refuses %s, naming file and key", (_what, text, expected) => {
    expect(refusalOf(text)).toMatch(expected);
    expect(refusalOf(text)).toContain("rport.conf: ");
  });

  it.each([
    "http://p",
    "https://u:p%40w@p.example.org:3129/",
    "socks://p:1080",
    "socks5://[2001:db8::1]:1080",
    "socks5h://u:p@p",
  ])("takes %s for a proxy", (proxy) => {
    expect(parseConfig(minimal(`proxy = "${proxy}"`), "rport.conf").proxy).toBe(proxy);
  });

  it.each([
    "",
    FINGERPRINT.slice(0, 20),
    FINGERPRINT.toUpperCase(),
    "SHA256:abc",
    `sha256:${"A".repeat(43)}`,
  ])("C-41: takes whole fingerprints only, not %j", (fingerprint) => {
    const text = `[client]\nserver = "h"\nauth = "a:b"\nfingerprint = "${fingerprint}"`;
    expect(refusalOf(text)).toContain("client.fingerprint must be a whole fingerprint");
  });

  it.each([
    '[client]\nauth = "id:top-secret',
    '[client]\nauth = "id:top-secret"\nauth = "id:top-secret"',
    '[client]\nserver = "http://id:top-secret@host"\n',
    '[client]\nauth = ["id:top-secret"]\nfingerprint = "top-secret"',
    '[client]\nserver = "h"\nproxy = "ftp://id:top-secret@host"',
  ])("S-23: never repeats a value in a refusal (%#)", (text) => {
    expect(refusalOf(text)).not.toBe("");
    expect(refusalOf(text)).not.toContain("top-secret");
  });
});
