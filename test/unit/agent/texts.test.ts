import { describe, expect, it } from "vitest";
import { parseCommand } from "../../../agent/src/cli/cli.ts";
import { parseDuration, toNanoseconds } from "../../../agent/src/config/duration.ts";
import { normaliseServerUrl } from "../../../agent/src/config/serverUrl.ts";
import { parseRemoteSpec } from "../../../agent/src/tunnels/remoteSpec.ts";

describe("durations in Go's form", () => {
  it.each([
    ["25s", 25_000],
    ["1h30m", 5_400_000],
    ["1.5s", 1_500],
    [".5m", 30_000],
    ["300ms", 300],
    ["5us", 0.005],
    ["0", 0],
    ["+2m", 120_000],
    ["60000000000", 60_000],
    [60_000_000_000, 60_000],
  ])("%j is %d ms", (written, ms) => {
    expect(parseDuration(written)).toBeCloseTo(ms, 6);
  });

  it.each(["", "s", "3 m", "-1s", "1d", "1h-2m", "99999999h", -1, Number.NaN])(
    "%j is none",
    (written) => {
      expect(parseDuration(written)).toBeUndefined();
    },
  );

  it("writes whole nanoseconds, which Go insists on", () => {
    expect(JSON.stringify(toNanoseconds(25_000.4))).toBe("25000000000");
  });
});

describe("a server's address", () => {
  it.each([
    ["example.org", "ws://example.org:80/"],
    ["example.org:8080", "ws://example.org:8080/"],
    ["http://example.org", "ws://example.org:80/"],
    ["HTTPS://Example.org/agents?x=1", "wss://example.org:443/agents/?x=1"],
    ["https://example.org/rport/", "wss://example.org:443/rport/"],
    ["wss://example.org:80", "wss://example.org:80/"],
    ["ws://[2001:db8::1]:8080", "ws://[2001:db8::1]:8080/"],
    ["https://[::1]", "wss://[::1]:443/"],
  ])("%s becomes %s", (written, url) => {
    expect(normaliseServerUrl(written)).toEqual({ ok: true, url });
  });

  it.each(["", "ftp://h", "http://", "http://user:secret@h", "http://h:99999", "://"])(
    "%j is refused without being repeated",
    (written) => {
      const result = normaliseServerUrl(written);
      expect(result.ok).toBe(false);
      expect(JSON.stringify(result)).not.toContain("secret");
    },
  );
});

describe("RPort's tunnel texts", () => {
  it.each([
    ["22", "", "", "127.0.0.1", "22", "tcp"],
    ["db.example.com:5432", "", "", "db.example.com", "5432", "tcp"],
    ["2222:22", "0.0.0.0", "2222", "127.0.0.1", "22", "tcp"],
    ["8000:db.example.com:80", "0.0.0.0", "8000", "db.example.com", "80", "tcp"],
    ["192.0.2.5:5353:192.0.2.53:53/udp", "192.0.2.5", "5353", "192.0.2.53", "53", "udp"],
  ] as const)("%s", (...[written, lhost, lport, rhost, rport, protocol]) => {
    expect(parseRemoteSpec(written)).toMatchObject({ lhost, lport, rhost, rport, protocol });
  });

  it.each(["", "host", "host:host:22", "1:2:3", "a:1:b:2:c", "22/sctp", "22/tcp/udp", "99999"])(
    "%j is none",
    (written) => {
      expect(parseRemoteSpec(written)).toBeUndefined();
    },
  );
});

describe("the command line", () => {
  it("reads every option of enroll", () => {
    const line = "enroll --server https://h --config f --token-stdin --name n --tag a --tag b";
    const args = [...line.split(" "), "--new-id", "--data-dir", "d", "--force"];
    expect(parseCommand(args)).toEqual({
      kind: "enroll",
      server: "https://h",
      config: "f",
      tokenFile: undefined,
      name: "n",
      tags: ["a", "b"],
      isNewId: true,
      dataDir: "d",
      isForced: true,
    });
  });

  it("reads the others", () => {
    expect(parseCommand([])).toEqual({ kind: "help" });
    expect(parseCommand(["help"])).toEqual({ kind: "help" });
    expect(parseCommand(["install", "--user", "x", "--help"])).toEqual({ kind: "help" });
    expect(parseCommand(["enroll", "-h"])).toEqual({ kind: "help" });
    expect(parseCommand(["run", "-c", "f"])).toEqual({
      kind: "run",
      config: "f",
      isService: false,
    });
    expect(parseCommand(["wait-online", "-c", "f", "--timeout", "5"])).toEqual({
      kind: "waitOnline",
      config: "f",
      timeoutMs: 5_000,
    });
  });

  it.each([
    "run",
    "run -c",
    "fly",
    "wait-online -c f --timeout soon",
    "enroll --server h --config f",
    "enroll --server h --config f --token-stdin --token-file t",
    "enroll --config f --token-stdin",
    "enroll --server h --config f --token-stdin 0123456789ABCDEFGHJKMNPQRS",
    "enroll --server h --config f --token 0123456789ABCDEFGHJKMNPQRS",
  ])("refuses %j with status 2, without repeating what may be a token", (line) => {
    const parse = () => parseCommand(line.split(" "));
    expect(parse).toThrow(expect.objectContaining({ exitCode: 2 }));
    expect(parse).not.toThrow("0123456789ABCDEFGHJKMNPQRS");
  });
});
