import type { Client } from "@rport/protocol/model";
import { describe, expect, it } from "vitest";
import { FILTER_MAX, parseFilter } from "../../../../extension/src/model/shown/filter.ts";
import { Matcher } from "../../../../extension/src/model/shown/matches.ts";
import { client, offline } from "../entities.ts";

const SERVER = "relay.example.com";

const WEB = client("machine-1", {
  name: "Web-01",
  hostname: "ip-10-0-0-5",
  ipv4: ["10.0.0.5"],
  ipv6: ["2001:db8::5"],
  tags: ["web", "front end"],
});
const DB = offline("machine-2", {
  name: "db-01",
  os: "windows",
  os_kernel: "windows",
  os_family: "Server",
  os_full_name: "Microsoft Windows Server 2022 Standard",
  ipv4: ["10.0.9.7"],
  address: "198.51.100.4",
  tags: ["db", "db-old"],
  client_auth_id: "laptops",
  revoked_at: "2030-01-01T00:00:00Z",
});

function filterOf(text: string) {
  const parsed = parseFilter(text);
  if ("mistake" in parsed) throw new Error(parsed.mistake);
  return parsed.filter;
}

/** Which of the two clients a filter lets through. */
function found(text: string, clients: readonly Client[] = [WEB, DB]): string[] {
  const matcher = new Matcher();
  matcher.set(filterOf(text), SERVER);
  return clients.filter((each) => matcher.fits(each)).map(({ name }) => name);
}

function mistakeOf(text: string): string | undefined {
  const parsed = parseFilter(text);
  return "mistake" in parsed ? parsed.mistake : undefined;
}

describe("a filter of clients", () => {
  it.each([
    ["name:web", ["Web-01"]],
    ["name:ip-10", ["Web-01"]],
    ["id:machine-2", ["db-01"]],
    ["address:10.0.9", ["db-01"]],
    ["address:2001:db8", ["Web-01"]],
    ["address:198.51", ["db-01"]],
    ["tag:DB", ["db-01"]],
    ["os:linux", ["Web-01"]],
    ["os:windows", ["db-01"]],
    ["status:online", ["Web-01"]],
    ["status:off", ["db-01"]],
    ["status:revoked", ["db-01"]],
    ["auth:laptops", ["db-01"]],
    ["server:relay", ["Web-01", "db-01"]],
    ["server:other", []],
  ])("finds by key: %s", (text, names) => expect(found(text)).toEqual(names));

  it.each(["web-01", "machine-1", "10.0.0.5", "front", "debian", "2001:db8::5"])(
    "finds %s without one",
    (text) => expect(found(text)).toEqual(["Web-01"]),
  );

  it("takes all terms together, and none for everything", () => {
    expect(found("machine tag:db status:offline")).toEqual(["db-01"]);
    expect(found("machine tag:db status:online")).toEqual([]);
    expect(found("   ")).toEqual(["Web-01", "db-01"]);
  });

  it("takes quotes for spaces and colons, also before they are closed", () => {
    expect(found('tag:"front end"')).toEqual(["Web-01"]);
    expect(found('tag:"front e')).toEqual(["Web-01"]);
    expect(found("tag:front end")).toEqual(["Web-01"]);
    expect(found('"name:"')).toEqual([]);
  });

  it("finds a part of a value, or with = all of it", () => {
    expect(found("tag:=db")).toEqual(["db-01"]);
    expect(found("tag:=d")).toEqual([]);
    expect(found('tag:="front end"')).toEqual(["Web-01"]);
    expect(found("=web")).toEqual(["Web-01"]);
  });

  it("asks for nothing yet while a value is missing", () => {
    expect(found("tag:")).toEqual(["Web-01", "db-01"]);
    expect(found('status:"')).toEqual(["Web-01", "db-01"]);
  });

  it("does not mind case and accents", () => {
    const cologne = client("k", { name: "K\u00F6ln-01" });
    expect(found("KOLN", [cologne])).toEqual(["K\u00F6ln-01"]);
    expect(found("k\u00F6ln", [cologne])).toEqual(["K\u00F6ln-01"]);
  });

  it("takes a state only by its key and from its beginning", () => {
    expect(found("offline")).toEqual([]);
    expect(found("status:o")).toEqual(["Web-01", "db-01"]);
    expect(mistakeOf("status:line")).toBe(
      'There is no status "line". There are online, offline, revoked, duplicate.',
    );
  });

  it("says at once that a key is unknown, and which there are", () => {
    expect(mistakeOf("web host:db")).toBe(
      'There is no "host:" to filter by. There are name:, id:, address:, tag:, os:, status:, auth:, server:. A text with a colon goes in quotes.',
    );
    expect(mistakeOf("http://web")).toContain('"http:"');
    expect(mistakeOf("TAG:db")).toBeUndefined();
    expect(mistakeOf("fe::1")).toBeUndefined();
    expect(mistakeOf("10.0.0.5:22")).toBeUndefined();
    expect(mistakeOf("constructor:x")).toContain('"constructor:"');
  });

  it("has an end", () => {
    expect(mistakeOf("x".repeat(FILTER_MAX))).toBeUndefined();
    expect(mistakeOf("x".repeat(FILTER_MAX + 1))).toContain("at most 500 characters");
  });

  it("follows a client that changes", () => {
    const matcher = new Matcher();
    matcher.set(filterOf("tag:db"), SERVER);
    expect(matcher.fits(WEB)).toBe(false);
    matcher.forget(WEB.id);
    expect(matcher.fits({ ...WEB, tags: ["db"] })).toBe(true);
  });
});
