import { describe, expect, it } from "vitest";
import { parseGoDuration } from "../../../../backend/src/tunnels/goDuration.ts";
import { parseTunnelQuery, type TunnelQuery } from "../../../../backend/src/tunnels/request.ts";

const parse = (query: Partial<TunnelQuery>) => parseTunnelQuery({ remote: "22", ...query }, "ann");

describe("the query of a tunnel", () => {
  it("has RPort's defaults", () => {
    expect(parse({})).toEqual({
      name: "",
      owner: "ann",
      target: { host: "127.0.0.1", port: 22 },
      local: undefined,
      scheme: undefined,
      acl: undefined,
      idleTimeoutMinutes: 5,
      autoCloseNs: 0,
      probe: true,
    });
  });

  it("means this host by a remote port alone, as RPort does", () => {
    expect(parse({ remote: ":22" }).target).toEqual({ host: "127.0.0.1", port: 22 });
  });

  it.each([
    ["4000", { host: undefined, port: 4000 }],
    ["0.0.0.0:4000", { host: "0.0.0.0", port: 4000 }],
    ["[::1]:4000", { host: "::1", port: 4000 }],
    ["localhost:4000", { host: "127.0.0.1", port: 4000 }],
    [":4000", { host: undefined, port: 4000 }],
    ["4000-4010", { host: undefined, port: 4000, portTo: 4010 }],
    ["0.0.0.0:4000-4000", { host: "0.0.0.0", port: 4000, portTo: 4000 }],
    ["[::1]:4000-4010", { host: "::1", port: 4000, portTo: 4010 }],
  ])("takes the local address %s", (local, expected) => {
    expect(parse({ local }).local).toEqual(expected);
  });

  it.each<[Partial<TunnelQuery>, string]>([
    [{ remote: "nonsense" }, "BAD_REQUEST"],
    [{ remote: "0" }, "BAD_REQUEST"],
    [{ local: "example.org:4000" }, "BAD_REQUEST"],
    [{ local: "4010-4000" }, "BAD_REQUEST"],
    [{ local: "4000-70000" }, "BAD_REQUEST"],
    [{ local: "4000-" }, "BAD_REQUEST"],
    [{ local: "-4000" }, "BAD_REQUEST"],
    [{ remote: ":" }, "BAD_REQUEST"],
    [{ remote: "::1:22" }, "BAD_REQUEST"],
    [{ http_proxy: true }, "BAD_REQUEST"],
    [{ protocol: "udp" }, "BAD_REQUEST"],
    [{ protocol: "tcp+udp" }, "BAD_REQUEST"],
    [{ scheme: "a-scheme-of-16-c" }, "ERR_CODE_URI_SCHEME_LENGTH_EXCEED"],
    [{ acl: "everybody" }, "ERR_CODE_INVALID_ACL"],
    [{ "idle-timeout-minutes": "10081" }, "BAD_REQUEST"],
    [{ "idle-timeout-minutes": "-1" }, "BAD_REQUEST"],
    [{ "idle-timeout-minutes": "5", "skip-idle-timeout": true }, "BAD_REQUEST"],
    [{ "auto-close": "745h" }, "BAD_REQUEST"],
    [{ "auto-close": "-1h" }, "BAD_REQUEST"],
    [{ "auto-close": "soon" }, "BAD_REQUEST"],
  ])("refuses %j with %s", (query, code) => {
    expect(() => parse(query)).toThrow(expect.objectContaining({ code }));
  });

  it("says that UDP is not supported yet", () => {
    expect(() => parse({ protocol: "udp" })).toThrow("UDP tunnels are not supported yet.");
  });

  it("turns the idle time-out off on request", () => {
    expect(parse({ "skip-idle-timeout": true }).idleTimeoutMinutes).toBe(0);
    expect(parse({ "idle-timeout-minutes": "0" }).idleTimeoutMinutes).toBe(0);
  });

  it("turns the probe off only for check_port=0", () => {
    expect(parse({ check_port: "0" }).probe).toBe(false);
    expect(parse({ check_port: "1" }).probe).toBe(true);
  });
});

describe("a Go duration", () => {
  it.each([
    ["0", 0],
    ["1h30m", 5_400e9],
    ["1.5s", 1.5e9],
    [".5m", 30e9],
    ["2us", 2_000],
    ["744h", 744 * 3_600e9],
  ])("%s is %d ns", (text, ns) => expect(parseGoDuration(text)).toBe(ns));

  it.each(["", "1", "h", "1h ", "-1h", "1d", "1h1", "9".repeat(40)])("%j is none", (text) =>
    expect(parseGoDuration(text)).toBeUndefined(),
  );
});
