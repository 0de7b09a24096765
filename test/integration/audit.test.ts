import { once } from "node:events";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AuditRow } from "@rport/protocol/audit";
import { DIAL_PATH } from "@rport/protocol/http";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { auditCommand } from "../../backend/src/audit/command.ts";
import { runCli, startEnrolledAgent } from "../support/agents/agent.ts";
import { isLetIn, PeerAgent } from "../support/agents/peerAgent.ts";
import { FaultyFiles } from "../support/backend/auditLog.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { runBackend, spawnBackend } from "../support/backend/spawnBackend.ts";
import { eventually } from "../support/eventually.ts";
import { tempDirectory } from "../support/tempDirectory.ts";
import { tcpServer } from "../support/wire/wireTunnel.ts";

type Api = Pick<RunningBackend, "api">;

/** Every row, oldest first. */
async function rows({ api }: Api, query: Record<string, string> = {}): Promise<AuditRow[]> {
  return await api("listAudit", {
    query: { sort: "timestamp", "page[limit]": "100", ...query },
  });
}

const what = ({ application, action, affected_id }: AuditRow) =>
  `${application} ${action} ${affected_id}`.trim();

/** The audit log's files as one text. */
async function filesOf(dataDir: string): Promise<string> {
  const directory = join(dataDir, "audit");
  const names = await readdir(directory);
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), "utf8")));
  return texts.join("");
}

/** `audit verify` as people call it. */
const verify = (dataDir: string) => runBackend(["audit", "verify", "--data-dir", dataDir]);

/** The same in this process, which is quicker. */
async function verifyHere(dataDir: string, ...more: string[]) {
  const { lines, exitCode } = await auditCommand(["verify", ...more], () => dataDir);
  return { code: exitCode, stdout: lines.join("\n") };
}

describe("the audit log of a backend", () => {
  it("C-39, S-23: tells a host's whole life: who, from where, what, and nothing secret", async () => {
    await using backend = await startBackend();
    await using temp = await tempDirectory();
    await using echo = await tcpServer((socket) => socket.pipe(socket));
    const { api, url, token } = backend;
    const typed = "a typed password";
    const made = await api("createCredential", {
      body: { id: "fleet", password: typed, label: "Web", limits: { max_clients: 9 } },
    });
    const params = { authId: "fleet" };
    const added = await api("addSecret", { params, body: {} });
    const pairing = await api("createPairing", { body: { credential_id: "fleet", name: "web-1" } });
    const { id: pairingId } = pairing.pairing;
    await backend.page(`/p/${pairingId}`);
    const file = join(temp.path, "rport.conf");
    const enroll = ["enroll", "--server", url, "--config", file, "--token-stdin"];
    const enrolled = await runCli([...enroll, "--data-dir", join(temp.path, "d")], pairing.token);
    expect(enrolled).toMatchObject({ code: 0 });
    const agent = await startEnrolledAgent(file);
    await agent.online();
    const [client] = await api("listClients", { query: { "fields[clients]": "id,hostname" } });
    const clientId = `${client?.id}`;
    const query = { remote: String(echo.port), name: "echo" };
    const tunnel = await api("createTunnel", { params: { clientId }, query });
    await dial(backend, { client_id: clientId, host: "127.0.0.1", port: `${echo.port}` });
    await api("deleteTunnel", { params: { clientId, tunnelId: tunnel.id } });
    await api("rotateCredential", { params, body: { grace_seconds: 60 } });
    const other = await api("createPairing", { body: { credential_id: "fleet" } });
    await api("revokePairing", { params: { pairingId: other.pairing.id } });
    await backend.raw("DELETE", "/clients-auth/fleet", { query: { force: "true" } });
    await eventually(async () =>
      expect((await rows(backend)).map(what)).toContain("client.auth failed fleet"),
    );
    await agent[Symbol.asyncDispose]();
    await api("deleteClient", { params: { clientId } });

    const all = await rows(backend);
    const target = `127.0.0.1:${echo.port}`;
    const expected = [
      "server start",
      "client.auth create fleet",
      "client.auth.secret create fleet",
      `pairing create ${pairingId}`,
      `pairing fetch ${pairingId}`,
      `pairing claim ${pairingId}`,
      "client connect fleet",
      `client.tunnel create ${tunnel.id}`,
      `client.tunnel.editor open ${target}`,
      `client.tunnel delete ${tunnel.id}`,
      "client.auth rotate fleet",
      `pairing create ${other.pairing.id}`,
      `pairing revoke ${other.pairing.id}`,
      "client.auth delete fleet",
      `client delete ${clientId}`,
    ];
    const seen = all.map(what).filter((one) => !/auth.api.session|client.auth failed/.test(one));
    expect(seen).toEqual(expected);
    const byPeople = /create|delete|rotate|revoke|open/;
    for (const row of all.filter(({ action }) => byPeople.test(action))) {
      expect(row).toMatchObject({ username: "local", remote_ip: "127.0.0.1" });
    }
    const find = (text: string) => all.find((row) => what(row) === text);
    expect(JSON.parse(find("client.auth create fleet")?.request ?? "")).toEqual({
      label: "Web",
      kind: "fleet",
      max_clients: 9,
      expires_at: null,
      cidrs: [],
      chosen_by: "user",
    });
    expect(JSON.parse(find("client.auth delete fleet")?.response ?? "")).toEqual({
      clients: [clientId],
      disconnected: 1,
      pairings: 0,
    });
    const joined = find("client connect fleet");
    expect(joined).toMatchObject({ username: "", remote_ip: "127.0.0.1", client_id: clientId });
    expect(joined?.client_hostname).toBe(client?.hostname);
    expect(JSON.parse(joined?.request ?? "").secret_id).toMatch(/^[\w-]{16}$/);
    expect(find(`client delete ${clientId}`)).toMatchObject({ client_id: clientId });
    const signIns = all.filter(({ application }) => application === "auth.api.session");
    expect(signIns).toMatchObject([{ action: "success", username: "local" }]);

    const secrets = [typed, made.password, added.password, pairing.token, other.token, token];
    const text = (await filesOf(backend.dataDir)) + JSON.stringify(all);
    for (const secret of secrets) expect(text).not.toContain(secret);
    const configured = /auth = "fleet:(.+)"/.exec(await readFile(file, "utf8"))?.[1] ?? "?";
    expect(text).not.toContain(configured);
    expect(await verifyHere(backend.dataDir)).toMatchObject({ code: 0 });
  });

  it("tells who was turned away, with the reason, and counts the rest of a flood", async () => {
    await using backend = await startBackend();
    const { url } = backend;
    await backend.api("createCredential", { body: { id: "fleet" } });
    for (const [user, password] of [
      ["fleet", "wrong"],
      ["my-Secret-typed-as-id", "x"],
    ] as const) {
      expect(await isLetIn({ url, user, password })).toBe(false);
    }
    await fetch(`${url}/api/v1/status`, { headers: { Authorization: "Bearer canary-token" } });
    const claim = { id: "0".repeat(16), claimant: "A".repeat(22), proof: "A".repeat(43) };
    await backend.page("/pair/v1/claim", { ...claim, client_id: "m", hostname: "h" });

    const failed = await rows(backend, { "filter[action]": "failed" });
    expect(failed.map((row) => [row.application, row.affected_id, row.request])).toEqual([
      ["client.auth", "fleet", '{"reason":"wrong"}'],
      ["client.auth", "", '{"reason":"unknown"}'],
      ["auth.api.session", "", "{}"],
      ["pairing", "", "{}"],
    ]);
    for (const row of failed) expect(row).toMatchObject({ username: "", remote_ip: "127.0.0.1" });
    // After a few, further ones are sent away without a verdict, and counted all the same.
    for (let n = 0; n < 8; n += 1) {
      await isLetIn({ url, user: "fleet", password: "wrong" }).catch(() => false);
    }
    const logins = { "filter[application]": "client.auth", "filter[action]": "failed" };
    expect(await rows(backend, logins)).toHaveLength(5);
    await backend.backend.close();
    const text = await filesOf(backend.dataDir);
    expect(text).toContain('"response":{"more":5,"within_seconds":60}');
    expect(text).not.toMatch(/canary-token|my-Secret-typed-as-id/);
  });

  it("tells of agents that signed in and were not taken", async () => {
    await using backend = await startBackend();
    const { password } = await backend.api("createCredential", { body: { id: "fleet" } });
    const login = { url: backend.url.replace("http", "ws"), user: "fleet", password };
    await using _first = await PeerAgent.join(login);
    const introduction = { SessionID: "another process" };
    await expect(PeerAgent.join({ ...login, introduction })).rejects.toThrow("already connected");
    const [row] = await rows(backend, { "filter[action]": "failed" });
    expect(row).toMatchObject({ application: "client", affected_id: "fleet" });
    expect(row).toMatchObject({ client_id: "machine-1", client_hostname: "web01.example.com" });
    expect(row?.request).toContain("already connected");
  });

  it("tells of tunnels that an agent asked for, and of those that end by themselves", async () => {
    await using backend = await startBackend();
    const { password } = await backend.api("createCredential", { body: { id: "fleet" } });
    const login = { url: backend.url.replace("http", "ws"), user: "fleet", password };
    const remote = { protocol: "tcp", lhost: "127.0.0.1", lport: "", rhost: "127.0.0.1" };
    const introduction = { Remotes: [{ ...remote, rport: "22", lport_random: true }] };
    await using _agent = await PeerAgent.join({ ...login, introduction });
    const params = { clientId: "machine-1" };
    const query = { remote: "23", check_port: "0", "auto-close": "50ms" };
    await backend.api("createTunnel", { params, query });
    const about = { "filter[application]": "client.tunnel" };
    const found = await eventually(async () => {
      const all = await rows(backend, about);
      expect(all).toHaveLength(3);
      return all;
    });
    expect(found.map((row) => [row.action, row.username, row.client_id, row.request])).toEqual([
      ["create", "", "machine-1", '{"by":"agent"}'],
      ["create", "local", "machine-1", expect.stringContaining('"remote":"23"')],
      ["expire", "", "machine-1", '{"why":"age"}'],
    ]);
  });

  it("is asked as RPort's, and refuses what it does not know", async () => {
    await using backend = await startBackend();
    for (let n = 0; n < 11; n += 1) {
      await backend.api("createCredential", { body: { id: `many-${n}` } });
    }
    const query = { "filter[affected_id]": "many-*" };
    const page = await backend.raw("GET", "/auditlog", { query });
    expect(page).toMatchObject({ status: 200, body: { meta: { count: 11 } } });
    const { data } = page.body as { data: AuditRow[] };
    expect(data.map(({ affected_id }) => affected_id)).toEqual(
      Array.from({ length: 10 }, (_, n) => `many-${n}`),
    );
    const wrong = await backend.raw("GET", "/auditlog", { query: { "filter[colour]": "red" } });
    expect(wrong.status).toBe(400);
    expect((await fetch(`${backend.url}/api/v1/auditlog`)).status).toBe(401);
  });

  it("D-04, F-15: on a full disk what takes rights away still happens, what grants them does not", async () => {
    const files = new FaultyFiles();
    await using backend = await startBackend({ openAuditFile: files.open });
    for (const id of ["first", "second"]) await backend.api("createCredential", { body: { id } });
    files.fill();
    await backend.api("deleteCredential", { params: { authId: "first" } });
    const body = { id: "third" };
    await expect(backend.api("createCredential", { body })).rejects.toMatchObject({
      code: "DISK_FULL",
    });
    expect((await backend.api("listCredentials")).map(({ id }) => id)).not.toContain("third");
    await backend.logged(
      (line) => line.includes("without its audit entry") && line.includes("first"),
    );
    files.failure = undefined;
    await backend.api("createCredential", { body });
    const last = (await rows(backend)).slice(-2);
    expect(last.map(what)).toEqual(["audit gap", "client.auth create third"]);
    expect(JSON.parse(last[0]?.response ?? "")).toEqual({ lost: 1 });
    const { stdout } = await verifyHere(backend.dataDir);
    expect(stdout).toContain("1 entries could not be written");
  });
});

describe("audit verify", () => {
  it("D-01: finds every answered change after kill -9, beside a running backend, again and again", async () => {
    await using temp = await tempDirectory();
    const answered: string[] = [];
    for (let round = 0; round < 2; round += 1) {
      await using backend = await spawnBackend(temp.path);
      const ids = Array.from({ length: 20 }, (_, n) => `made-${round}-${n}`);
      const calls = ids.map(async (id) => {
        await backend.api.call("createCredential", { body: { id } });
        answered.push(id);
      });
      await Promise.any(calls);
      if (round === 0) expect(await verify(temp.path)).toMatchObject({ code: 0 });
      const ended = Promise.allSettled(calls);
      await backend.kill();
      await ended;
      expect(await verifyHere(temp.path)).toMatchObject({ code: 0 });
    }
    const text = await filesOf(temp.path);
    for (const id of answered) expect(text).toContain(`"affected_id":"${id}"`);
  });

  it("S-22: runs beside a backend that writes, and finds nothing wrong", async () => {
    await using temp = await tempDirectory();
    await using backend = await startBackend({ dataDir: temp.path });
    for (let round = 0; round < 5; round += 1) {
      const change = backend.api("createCredential", { body: { id: `fleet-${round}` } });
      expect(await verifyHere(temp.path)).toMatchObject({ code: 0 });
      await change;
    }
  });

  it("S-22: names file and line of what was changed, notices what was cut off, and exits 65", async () => {
    await using temp = await tempDirectory();
    const path = join(temp.path, "audit", "audit-1.ndjson");
    {
      await using backend = await startBackend({ dataDir: temp.path });
      await backend.api("createCredential", { body: { id: "fleet" } });
    }
    const sound = await verifyHere(temp.path);
    const [, seq = "", hash = ""] =
      /--expect-seq (\d+) --expect-hash (\w+)/.exec(sound.stdout) ?? [];
    const noted = ["--expect-seq", seq, "--expect-hash", hash];
    expect(sound.stdout).toContain(`seq 1 to ${seq}`);
    expect(await verifyHere(temp.path, ...noted)).toMatchObject({ code: 0 });

    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace('"affected_id":"fleet"', '"affected_id":"fleed"'));
    const changed = await verify(temp.path);
    expect(changed.code).toBe(65);
    expect(changed.stdout).toMatch(/BROKEN: .*audit-1\.ndjson, line 3: the entry was altered/);
    await writeFile(path, `${text.split("\n")[0]}\n`);
    const cut = await verifyHere(temp.path);
    expect(cut).toMatchObject({
      code: 65,
      stdout: expect.stringContaining("entries were cut off"),
    });
    expect((await verifyHere(temp.path, ...noted)).stdout).toContain(`but seq ${seq} was noted`);
    const index = join(temp.path, "audit.sqlite");
    await rename(index, `${index}.away`);
    expect(await verifyHere(temp.path)).toMatchObject({ code: 0 });
    await rename(`${index}.away`, index);

    await using again = await startBackend({ dataDir: temp.path });
    await again.logged((line) => line.includes("the audit log is damaged"));
    const query = { "filter[action]": "break" };
    const [row] = await again.api("listAudit", { query });
    expect(row?.response).toContain(`ended at seq ${seq}`);
    expect((await verifyHere(temp.path)).code).toBe(65);
  });

  it("has a help of its own; a log without its key is not gone on with", async () => {
    await using temp = await tempDirectory();
    await (await startBackend({ dataDir: temp.path }))[Symbol.asyncDispose]();
    expect((await runBackend(["audit", "--help"])).stdout).toContain("--expect-hash");
    await rm(join(temp.path, "audit.key"));
    const failure = { exitCode: 65, message: expect.stringContaining("audit.key is missing") };
    await expect(startBackend({ dataDir: temp.path })).rejects.toMatchObject(failure);
    await expect(verifyHere(temp.path)).rejects.toMatchObject(failure);
  });

  it.each([[["verify", "--colour"]], [["verify", "--expect-seq", "1"]], [["verify", "x"]], [[]]])(
    "refuses %j as wrong flags",
    async (argv) => {
      const called = auditCommand(argv, () => "/nonexistent");
      await expect(called).rejects.toMatchObject({ exitCode: 2 });
    },
  );
});

/** Opens an editor's stream and closes it once it is there. */
async function dial(backend: RunningBackend, query: Record<string, string>): Promise<void> {
  const url = `${backend.url.replace("http", "ws")}${DIAL_PATH}?${new URLSearchParams(query)}`;
  const headers = { Authorization: `Bearer ${backend.token}` };
  const socket = new WebSocket(url, { headers });
  await once(socket, "open");
  socket.send(Buffer.from("x"));
  await once(socket, "message");
  socket.close();
  await once(socket, "close");
}
