import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import type { Answer } from "../../extension/src/api/http.ts";
import { type CheckLine, checkText } from "../../extension/src/servers/checks/checkLine.ts";
import { networkProbes } from "../../extension/src/servers/checks/networkProbes.ts";
import { type CheckedServer, checkServer } from "../../extension/src/servers/checks/serverCheck.ts";
import { startBackend } from "../support/backend/backend.ts";
import { editorWindow } from "../support/extensionServer.ts";
import { startSelfSigned } from "../support/tls/selfSignedBackend.ts";

const never = () => Promise.reject(new Error("not to be asked"));

/** A check of an address, with the real network. */
function check(changes: Partial<CheckedServer>, ask: () => Promise<Answer>, nowMs = Date.now) {
  const usual = {
    isLocal: false,
    address: "",
    fingerprint: "",
    tlsPin: undefined,
    proxy: undefined,
  };
  return checkServer({ ...usual, ...changes }, { network: networkProbes, ask, nowMs });
}

const verdicts = (lines: readonly CheckLine[]) =>
  Object.fromEntries(lines.map(({ name, verdict }) => [name, verdict]));
const textOf = (lines: readonly CheckLine[], wanted: string) =>
  lines.find(({ name }) => name === wanted)?.text ?? "";

describe("a check of the connection to a server", () => {
  it("says a sentence about each step of one that works", async () => {
    await using backend = await startBackend();
    using editor = editorWindow(backend.url, backend.token);
    const { api } = editor.server;
    const lines = await check({ address: backend.url }, () => api.ask());
    expect(verdicts(lines)).toEqual({
      Proxy: "ok",
      Name: "ok",
      Address: "ok",
      TLS: "ok",
      Answer: "ok",
      Version: "ok",
      "Server key": "ok",
      Clock: "ok",
    });
    expect(textOf(lines, "Server key")).toMatch(/^SHA256:/);
    expect(checkText("Connection to Relay", lines)).toMatch(
      /^# Connection to Relay\n\nEverything works\.\n/,
    );
  });

  it("tells a clock that is wrong, and a server with another key than the accepted one", async () => {
    await using backend = await startBackend();
    using editor = editorWindow(backend.url, backend.token);
    const { api } = editor.server;
    const late = () => Date.now() - 300_000;
    const clock = await check({ address: backend.url }, () => api.ask(), late);
    expect(verdicts(clock)).toMatchObject({ Clock: "note" });
    expect(textOf(clock, "Clock")).toContain("ahead of this computer's");
    const fingerprint = `SHA256:${"A".repeat(43)}`;
    const key = await check({ address: backend.url, fingerprint }, () => api.ask());
    expect(key.at(-1)).toMatchObject({ name: "Server key", verdict: "failed" });
  });

  it("tells that the way is there, and the sign-in is not accepted", async () => {
    await using backend = await startBackend();
    using editor = editorWindow(backend.url, "wrong");
    const { api } = editor.server;
    const lines = await check({ address: backend.url }, () => api.ask());
    expect(lines.at(-1)).toMatchObject({ name: "Answer", verdict: "failed" });
    expect(textOf(lines, "Answer")).toContain("does not accept the sign-in");
  });

  it("ends at a name that nobody knows, and at a port where nothing listens", async () => {
    const name = await check({ address: "http://nowhere.invalid" }, never);
    expect(name.at(-1)).toMatchObject({ name: "Name", verdict: "failed" });
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    const lines = await check({ address: `http://127.0.0.1:${port}` }, never);
    expect(lines.at(-1)).toMatchObject({
      name: "Address",
      verdict: "failed",
      text: `Port ${port}: nothing is listening there.`,
    });
  });

  it("knows a TLS key that was accepted, another one, and a port that does not speak TLS", async () => {
    await using backend = await startSelfSigned();
    const { url: address, pin: tlsPin } = backend;
    const ask = async () => {
      const status = await backend.call("getStatus");
      return { status, tookMs: 1, atMs: undefined };
    };
    expect(verdicts(await check({ address, tlsPin }, ask))).toMatchObject({
      TLS: "ok",
      Answer: "ok",
    });
    const other = `sha256//${"A".repeat(43)}=` as const;
    expect((await check({ address, tlsPin: other }, never)).at(-1)).toMatchObject({
      name: "TLS",
      verdict: "failed",
    });
    const unpinned = await check({ address }, never);
    expect(unpinned.find(({ name }) => name === "TLS")).toMatchObject({
      verdict: "note",
      text: expect.stringContaining("its certificate is self-signed"),
    });
    await using plain = await startBackend();
    const wrong = await check({ address: plain.url.replace("http:", "https:") }, never);
    expect(wrong.at(-1)).toMatchObject({ name: "TLS", verdict: "failed" });
  });

  it("leaves name and certificate to a proxy, and to a local backend's own file", async () => {
    await using backend = await startBackend();
    using editor = editorWindow(backend.url, backend.token);
    const { api } = editor.server;
    const proxied = await check({ address: "https://far.example", proxy: "proxy:3128" }, () =>
      api.ask(),
    );
    expect(textOf(proxied, "Proxy")).toContain("proxy:3128");
    expect(verdicts(proxied)).not.toHaveProperty("Name");
    const local = await check({ isLocal: true }, () => api.ask());
    expect(local[0]).toMatchObject({ name: "Answer", verdict: "ok" });
  });
});
