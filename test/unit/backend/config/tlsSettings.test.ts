import { describe, expect, it } from "vitest";
import { readConfig } from "../../../../backend/src/config/config.ts";
import type { Settings } from "../../../../backend/src/config/settings.ts";
import { tlsSettings } from "../../../../backend/src/config/tlsSettings.ts";
import { warningsOf } from "../../../../backend/src/startWarnings.ts";

const PAIR = { cert_file: "/etc/rport/a.crt", key_file: "/etc/rport/a.key" };
const FILES = { kind: "files", certFile: PAIR.cert_file, keyFile: PAIR.key_file };
const APART = { host: "0.0.0.0", port: 3000 };

function configOf(environment: Record<string, string>) {
  const invocation = readConfig({ argv: [], environment, platform: "linux", home: "/home/me" });
  if (invocation.kind === "print") throw new Error(invocation.text);
  return invocation.config;
}

describe("C-04: what an rportd.conf says of TLS", () => {
  it("is in force: the certificate of people, on an address of their own", () => {
    const api = { address: APART, ...PAIR, tls_min: "1.3" } as const;
    expect(tlsSettings({ api })).toEqual({
      server: undefined,
      api: { ...FILES, section: "api", oldest: "TLSv1.3" },
    });
  });

  it("is TLS 1.2 and newer unless it says otherwise, and one certificate for all", () => {
    const server = { ...FILES, section: "server", oldest: "TLSv1.2" };
    expect(tlsSettings({ server: PAIR })).toEqual({ server, api: server });
    const apart = tlsSettings({ server: PAIR, api: { address: APART, tls_min: "1.3" } });
    expect(apart).toEqual({ server, api: { ...server, oldest: "TLSv1.3" } });
  });

  it.each<[string, Settings, string]>([
    ["a certificate without a key", { server: { cert_file: "a" } }, "go together"],
    ["a key without a certificate", { api: { key_file: "a", address: APART } }, "go together"],
    [
      "people's on the common address",
      { api: PAIR },
      "api.cert_file and key_file: people and agents share",
    ],
    [
      "people's oldest version there",
      { server: PAIR, api: { tls_min: "1.3" } },
      "api.tls_min: people and agents share",
    ],
    [
      "an oldest version of nothing",
      { server: { tls_min: "1.3" } },
      "server.tls_min has no effect",
    ],
    [
      "the same for people",
      { api: { address: APART, tls_min: "1.2" } },
      "api.tls_min has no effect",
    ],
    [
      "a made one and one's own",
      { server: { ...PAIR, tls: "self-signed" } },
      'server.tls = "self-signed" makes',
    ],
  ])("stops the start where it has no effect: %s", (_what, settings, sentence) => {
    expect(() => tlsSettings(settings)).toThrow(sentence);
  });
});

describe("S-42: a server that strangers reach without TLS", () => {
  const OPEN = { RPORT_SERVER_ADDRESS: "0.0.0.0:8080" };

  it("says in one sentence that passwords go in clear, and what to set", () => {
    const [sentence = "", ...more] = warningsOf(configOf(OPEN));
    expect(sentence).toContain("Passwords of people go over the network in clear");
    expect(sentence).toContain("server.cert_file");
    expect(sentence).toContain("server.url");
    expect(more).toEqual([]);
    expect(warningsOf(configOf({ RPORT_API_ADDRESS: "0.0.0.0:3000" }))).toHaveLength(1);
    expect(warningsOf(configOf({ ...OPEN, RPORT_SERVER_URL: "http://a.example" }))).toHaveLength(1);
  });

  it.each([
    ["it listens on this machine only", {}],
    ["it speaks TLS", { ...OPEN, RPORT_SERVER_CERT_FILE: "a", RPORT_SERVER_KEY_FILE: "b" }],
    ["a proxy does", { ...OPEN, RPORT_SERVER_URL: "https://rport.example.com" }],
    ["people are on this machine", { ...OPEN, RPORT_API_ADDRESS: "127.0.0.1:8081" }],
  ])("says nothing where %s", (_what, environment) => {
    expect(warningsOf(configOf(environment))).toEqual([]);
  });
});
