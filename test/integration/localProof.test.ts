import { readFile, stat, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { ENDPOINT_FILE } from "@rport/protocol/endpointFile";
import { proveServer } from "@rport/protocol/local/proveServer";
import {
  editorProof,
  newNonce,
  PROVE_PATH,
  proveAnswerSchema,
  serverProof,
} from "@rport/protocol/localProof";
import { describe, expect, it } from "vitest";
import { SheetModel } from "../../extension/src/install/sheetModel.ts";
import type { Server } from "../../extension/src/servers/server.ts";
import { systemClock } from "../../extension/src/support/clock.ts";
import { Forwarder } from "../../extension/src/tunnels/forwarder.ts";
import { startBackend } from "../support/backend/backend.ts";
import { runBackend, spawnBackend } from "../support/backend/spawnBackend.ts";
import { eventually } from "../support/eventually.ts";
import { localServer } from "../support/extensionServer.ts";
import { type ProveAnswer, startThief } from "../support/faults/thief.ts";
import { tempDirectory } from "../support/tempDirectory.ts";

const digest = newNonce();
const CRASHING_MAIN = new URL("../support/backend/crashingMain.ts", import.meta.url).pathname;

/** What a thief may try when it is asked for a proof. */
const TRICKS: readonly (readonly [string, ProveAnswer])[] = [
  ["does not know the path", async () => ({ status: 404, body: "{}" })],
  ["lets everybody in", async () => ({ status: 200, body: "{}" })],
  [
    "makes a proof up",
    async () => ({ status: 200, body: JSON.stringify({ data: { nonce: digest, proof: digest } }) }),
  ],
  [
    "sends the question back",
    async (body) => {
      const { nonce } = JSON.parse(body) as { nonce: string };
      return { status: 200, body: JSON.stringify({ data: { nonce, proof: nonce } }) };
    },
  ],
  ["answers without end", async () => ({ status: 200, body: "x".repeat(1_000_000) })],
];

async function sheetOn(server: Server): Promise<SheetModel> {
  const model = new SheetModel({
    server,
    authId: "fleet",
    clock: systemClock,
    chosen: { platform: "linux", command: "curl" },
    cards: () => [],
    onChange: () => undefined,
    onArrived: () => undefined,
  });
  await model.renew();
  return model;
}

/** Why a connection through a new tunnel failed. */
async function tunnelFailure({ access }: Server): Promise<string | undefined> {
  const remote = { host: "127.0.0.1", port: 22 };
  const forwarder = await Forwarder.listen({ access, clientId: "host-1", remote }, [0]);
  connect(forwarder.port, "127.0.0.1").on("error", () => undefined);
  await eventually(() => expect(forwarder.failure).toBeDefined());
  forwarder.close();
  return forwarder.failure;
}

describe("an editor whose backend has ended without cleaning up", () => {
  it.each(TRICKS)("S-14: tells a stranger on its port nothing who %s", async (_name, prove) => {
    await using temp = await tempDirectory();
    const backend = await spawnBackend(temp.path);
    await backend.kill();
    const { url, token, fingerprint } = backend.endpoint;
    await using thief = await startThief(Number(new URL(url).port), fingerprint, prove);
    using local = localServer(temp.path);
    const { server } = local;
    await eventually(() => expect(server.state.kind).toBe("waiting"));

    const reason = `The backend of this folder has ended without cleaning up. Another program answers at ${url}. It was told no token.`;
    expect(server.state).toMatchObject({ reason });
    expect(server.mirror.isFilled).toBe(false);
    await expect(server.api.call("getStatus")).rejects.toThrow(reason);
    const { state } = await sheetOn(server);
    expect(state.line).toMatchObject({ kind: "failed", reason });
    expect(JSON.stringify(state.platforms)).not.toContain("sudo");
    expect(await tunnelFailure(server)).toBe(reason);
    expect(thief.connections()).toBeGreaterThanOrEqual(4);
    expect(thief.received()).toContain(`POST ${PROVE_PATH}`);
    expect(thief.received()).not.toContain(token);
    expect(thief.received()).not.toMatch(/authorization|upgrade|pairings/i);
  });

  it("S-14: says so when nobody answers on its port", async () => {
    await using temp = await tempDirectory();
    const backend = await spawnBackend(temp.path);
    await backend.kill();
    using local = localServer(temp.path);
    const reason = "The backend of this folder has ended without cleaning up.";
    await eventually(() => expect(local.server.state).toMatchObject({ kind: "waiting", reason }));
  });

  it("S-14: is not fooled by a stranger who passes the question on to the backend itself", async () => {
    await using backend = await startBackend();
    const passOn: ProveAnswer = async (body) => {
      const headers = { "content-type": "application/json" };
      const answer = await fetch(backend.url + PROVE_PATH, { method: "POST", headers, body });
      return { status: answer.status, body: await answer.text() };
    };
    await using temp = await tempDirectory();
    await using thief = await startThief(0, backend.fingerprint, passOn);
    const file = JSON.parse(await readFile(join(backend.dataDir, ENDPOINT_FILE), "utf8"));
    const moved = JSON.stringify({ ...file, url: thief.url });
    await writeFile(join(temp.path, ENDPOINT_FILE), moved, { mode: 0o600 });
    using local = localServer(temp.path);
    await eventually(() => expect(local.server.state.kind).toBe("waiting"));
    expect(local.server.state).toMatchObject({
      reason: expect.stringContaining("has not proven that it is the backend of this folder"),
    });
    expect(thief.received()).not.toContain(backend.token);
    expect(thief.received()).not.toMatch(/authorization/i);
  });
});

/** Requests that go over one connection, as an editor sends them. */
function oneConnection(port: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const send = (path: string, headers: Record<string, string>, body?: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
    const method = body === undefined ? "GET" : "POST";
    const options = { host: "127.0.0.1", port, path, method, headers, agent };
    const sent = request(options, async (answer) => {
      const text = (await answer.setEncoding("utf8").toArray()).join("");
      resolve({ status: answer.statusCode ?? 0, text });
    });
    sent.on("error", reject);
    sent.end(body);
    return promise;
  };
  const ask = (body: string, headers: Record<string, string> = {}) =>
    send(PROVE_PATH, { "content-type": "application/json", ...headers }, body);
  return {
    ask,
    prove: async (nonce: string) =>
      proveAnswerSchema.parse(JSON.parse((await ask(JSON.stringify({ nonce }))).text)).data,
    status: (proof: string) => send("/api/v1/status", { authorization: `RPort-Proof ${proof}` }),
    [Symbol.dispose]: () => agent.destroy(),
  };
}

describe("a backend that is asked for a proof", () => {
  it("S-14: gives one for this connection, and takes the editor's own on this one only", async () => {
    await using backend = await startBackend();
    const { token, fingerprint, port } = backend;
    using one = oneConnection(port);
    using other = oneConnection(port);
    const editorNonce = newNonce();
    const { nonce: serverNonce, proof } = await one.prove(editorNonce);
    await other.prove(newNonce());
    const facts = { place: `127.0.0.1:${port}`, fingerprint, editorNonce, serverNonce };
    const mine = editorProof(token, facts);

    expect(proof).toBe(serverProof(token, facts));
    expect((await one.status(mine)).status).toBe(200);
    expect((await other.status(mine)).status).toBe(401);
    expect((await one.status(proof)).status).toBe(401);
    expect((await one.status(token)).status).toBe(401);
    await one.prove(editorNonce);
    expect((await one.status(mine)).status).toBe(401);
    expect(backend.logLines.join("\n")).not.toContain(mine);
  });

  it("S-14: answers editors also while another program asks without end", async () => {
    await using backend = await startBackend({ limits: { proofs_per_second: 1 } });
    const { url, token, fingerprint, port } = backend;
    using greedy = oneConnection(port);
    const question = JSON.stringify({ nonce: newNonce() });
    const statuses: number[] = [];
    const results: string[] = [];
    for (let n = 0; n < 20; n++) {
      statuses.push((await greedy.ask(question)).status);
      const result = await proveServer({ url, token, fingerprint });
      results.push(result.kind);
      if (result.kind === "proven") result.connection.close();
    }
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0);
    expect(new Set(results)).toEqual(new Set(["proven"]));
    expect(backend.logLines.join("\n")).toContain("proofs_per_second");
  });

  it("S-14: answers programs of its own machine, and nobody's long questions", async () => {
    await using backend = await startBackend();
    using one = oneConnection(backend.port);
    const nonce = newNonce();
    const question = JSON.stringify({ nonce });
    const forwarded = { "x-forwarded-for": "192.0.2.7" };
    expect((await one.ask(question, forwarded)).status).toBe(403);
    expect((await one.ask(question)).status).toBe(200);
    using another = oneConnection(backend.port);
    const long = JSON.stringify({ nonce, filler: "x".repeat(600) });
    expect((await another.ask(long)).status).toBe(413);
    using third = oneConnection(backend.port);
    expect((await third.ask(JSON.stringify({ nonce: "short" }))).status).toBe(400);
  });
});

describe("the endpoint file", () => {
  const isThere = (directory: string) =>
    stat(join(directory, ENDPOINT_FILE)).then(
      () => true,
      () => false,
    );

  it("S-14: of a process that was killed is removed by the next start, even by one that fails", async () => {
    await using temp = await tempDirectory();
    const first = await spawnBackend(temp.path);
    await first.kill();
    expect(await isThere(temp.path)).toBe(true);
    await using thief = await startThief(0, "", async () => ({ status: 404, body: "" }));
    const { port } = new URL(thief.url);
    const { code } = await runBackend(["--data-dir", temp.path, "--port", port]);
    expect(code).toBe(98);
    expect(await isThere(temp.path)).toBe(false);
  });

  it("S-14: goes with a process that ends by what nobody caught", async () => {
    await using temp = await tempDirectory();
    await using backend = await spawnBackend(temp.path, [], { main: CRASHING_MAIN });
    expect(await isThere(temp.path)).toBe(true);
    backend.signal("SIGWINCH");
    const { code, stderr } = await backend.ended;
    expect(code).not.toBe(0);
    expect(stderr).toContain("thrown on purpose");
    expect(await isThere(temp.path)).toBe(false);
  });
});
