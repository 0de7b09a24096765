import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { VERSION } from "@rport/protocol/version";
import { describe, expect, it } from "vitest";
import { LIMIT_NAMES } from "../../backend/src/limits/limitTable.ts";
import { PeerAgent } from "../support/agents/peerAgent.ts";
import { startBackend } from "../support/backend/backend.ts";
import { FLEET, makeFleet } from "../support/backend/fleet.ts";
import { spawnBackend } from "../support/backend/spawnBackend.ts";
import { eventually } from "../support/eventually.ts";
import { head, rawHttp } from "../support/faults/rawHttp.ts";
import { canHaveTinyDisk, tinyDisk } from "../support/faults/tinyDisk.ts";
import { freePort } from "../support/freePort.ts";
import { textOf } from "../support/repository.ts";
import { tempDirectory } from "../support/tempDirectory.ts";
import { tcpServer } from "../support/wire/wireTunnel.ts";

const hasTinyDisk = await canHaveTinyDisk();
const WELL = { disk: "ok", store: "ok", audit: "ok", eventLoop: "ok" };

/** The answer to a path, as status and JSON. */
async function ask(url: string, path: string): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${url}${path}`);
  return { status: answer.status, body: await answer.json() };
}

/** All figures, by name with labels as they are written. */
async function figuresOf(url: string, token?: string): Promise<ReadonlyMap<string, number>> {
  const headers = new Headers();
  if (token !== undefined) headers.set("Authorization", `Bearer ${token}`);
  const answer = await fetch(`${url}/metrics`, { headers });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
  const lines = (await answer.text()).split("\n").filter((line) => /^[a-z]/.test(line));
  return new Map(
    lines.map((line) => {
      const blank = line.lastIndexOf(" ");
      return [line.slice(0, blank), Number(line.slice(blank + 1))];
    }),
  );
}

describe("F-28 health", () => {
  it("is told without a token, and tells no more than whether there is something wrong", async () => {
    await using backend = await startBackend();
    expect(await ask(backend.url, "/healthz")).toEqual({ status: 200, body: { alive: true } });
    const ready = await ask(backend.url, "/readyz");
    expect(ready).toEqual({ status: 200, body: { ready: true, parts: WELL } });
  });

  it.skipIf(!hasTinyDisk)(
    "stays alive and is not ready while the disk is full (skipped where mounting is not allowed)",
    async () => {
      await using disk = await tinyDisk(1_536);
      await using backend = await spawnBackend(join(disk.path, "data"));
      const { url } = backend.endpoint;
      expect((await ask(url, "/readyz")).status).toBe(200);
      await disk.fill();
      await eventually(async () => {
        const { status, body } = await ask(url, "/readyz");
        expect(status).toBe(503);
        expect(body).toMatchObject({ ready: false, parts: { disk: "failed", store: "ok" } });
      });
      expect((await ask(url, "/healthz")).status).toBe(200);
      expect((await figuresOf(url, backend.endpoint.token)).get('rport_ready{part="disk"}')).toBe(
        0,
      );
      expect(backend.stderr()).toContain("the server is not ready");
      await disk.empty();
      await eventually(async () => expect((await ask(url, "/readyz")).status).toBe(200));
      expect(backend.stderr()).toContain("the server is ready again");
    },
  );
});

describe("F-28 figures", () => {
  it("are for those who show a token, and for nobody else", async () => {
    await using backend = await startBackend();
    for (const path of [
      "/metrics",
      "/metrics/",
      "/METRICS",
      `/metrics?access_token=${backend.token}`,
    ]) {
      const { status } = await fetch(backend.url + path);
      expect([path, status]).toEqual([path, expect.toBeOneOf([401, 404])]);
    }
    const figures = await figuresOf(backend.url, backend.token);
    expect(figures.size).toBeGreaterThan(50);
  });

  it("say what is so: agents, logins, refusals, tunnels and their bytes", async () => {
    await using backend = await startBackend();
    const password = await makeFleet({ call: backend.api });
    const login = { url: backend.url.replace("http", "ws"), user: FLEET, password };
    await using agent = await PeerAgent.join(login);
    const wrong = { ...login, password: "not-the-password", from: "127.0.0.9" };
    await expect(PeerAgent.join(wrong)).rejects.toThrow();
    await using echo = await tcpServer((socket) => socket.pipe(socket));
    const { id } = (await backend.api("listClients"))[0] ?? {};
    const tunnel = await backend.api("createTunnel", {
      params: { clientId: String(id) },
      query: { remote: `127.0.0.1:${echo.port}` },
    });
    const socket = connect(Number(tunnel.lport), "127.0.0.1");
    socket.write("x".repeat(1_000));
    await once(socket, "data");
    await eventually(async () => {
      const figures = await figuresOf(backend.url, backend.token);
      const shown = (name: string) => figures.get(`rport_${name}`);
      expect(shown('clients{state="connected"}')).toBe(1);
      expect(shown('logins_total{result="accepted"}')).toBe(1);
      expect(shown('logins_total{result="refused"}')).toBe(1);
      expect(shown('refusals_total{reason="wrong-secret"}')).toBe(1);
      expect(shown('records{kind="client"}')).toBe(1);
      expect(shown("tunnels")).toBe(1);
      expect(shown("tunnel_connections")).toBe(1);
      expect(shown("relay_bytes_total")).toBe(2_000);
      expect(shown("sockets")).toBeGreaterThanOrEqual(2);
      expect(shown('ready{part="store"}')).toBe(1);
      expect(shown('part_seconds{part="disk"}')).toBeGreaterThan(0);
      expect(shown('event_loop_delay_seconds{quantile="0.99"}')).toBeGreaterThanOrEqual(0);
      expect(shown("descriptors")).toBeGreaterThan(0);
    });
    socket.destroy();
    expect(agent.heard).toBeDefined();
  });

  it("have every limit with its number and how often it bit", async () => {
    await using backend = await startBackend({ limits: { downloads: 7 } });
    backend.backend.limits.bite("downloads");
    const figures = await figuresOf(backend.url, backend.token);
    for (const name of LIMIT_NAMES) {
      expect(figures.get(`rport_limit_max{limit="${name}"}`)).toBe(
        backend.backend.limits.max(name),
      );
      expect(figures.get(`rport_limit_bites_total{limit="${name}"}`)).toBe(
        name === "downloads" ? 1 : 0,
      );
    }
    expect(figures.get('rport_limit_used{limit="downloads"}')).toBe(0);
  });

  it("are on the page about monitoring, each of them and no other", async () => {
    await using backend = await startBackend({ descriptors: 1_024 });
    const headers = { Authorization: `Bearer ${backend.token}` };
    const text = await (await fetch(`${backend.url}/metrics`, { headers })).text();
    const told = [...text.matchAll(/^# TYPE rport_(\S+)/gm)].map(([, name]) => name);
    const [, table = ""] = textOf("docs/monitoring.md").split("| figure | labels | what |");
    const [rows = ""] = table.split("\n\n");
    const shown = [...rows.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, names = ""]) =>
      [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    expect(shown.sort()).toEqual(told.sort());
  });

  it("S-23: name no client, credential, address or user, whatever those are called", async () => {
    await using backend = await startBackend();
    const canary = "canary-in-a-figure";
    const { password } = await backend.api("createCredential", { body: { id: canary } });
    const url = backend.url.replace("http", "ws");
    const introduction = { ID: canary, Name: canary, Hostname: canary, Tags: [canary] };
    await using _agent = await PeerAgent.join({ url, user: canary, password, introduction });
    await expect(PeerAgent.join({ url, user: "canary-other", password: canary })).rejects.toThrow();
    const headers = { Authorization: `Bearer ${backend.token}` };
    const text = await (await fetch(`${backend.url}/metrics`, { headers })).text();
    expect(text).not.toMatch(/canary|127\.0\.0\.1|local/);
    for (const secret of [password, backend.token]) expect(text).not.toContain(secret);
  });

  it("are set apart by [metrics] address", async () => {
    await using temp = await tempDirectory();
    const port = await freePort();
    await using backend = await spawnBackend(join(temp.path, "data"), [], {
      environment: { RPORT_METRICS_ADDRESS: `127.0.0.1:${port}` },
    });
    const url = `http://127.0.0.1:${port}`;
    expect((await figuresOf(url)).get(`rport_build_info{version="${VERSION}"}`)).toBe(1);
    expect((await ask(url, "/healthz")).status).toBe(200);
    expect((await ask(url, "/api/v1/status")).status).toBe(404);
    expect((await ask(url, `/p/${"A".repeat(16)}`)).status).toBe(404);
    const rebound = await rawHttp(port, head("GET /metrics", ["Host: evil.example"]));
    expect(rebound.status).toBe(403);
    expect((await ask(backend.endpoint.url, "/metrics")).status).toBe(401);
  });
});
