import { createSecretKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { verifyLog } from "../../../backend/src/audit/verify.ts";
import { startAgent } from "../../support/agents/agent.ts";
import { startBackend } from "../../support/backend/backend.ts";
import { eventually } from "../../support/eventually.ts";
import { contentsOf, releaseDirectory } from "../../support/release/releaseDirectory.ts";
import { HOSTS, type HostName, joinAs, TUNNEL_PORTS } from "../../support/release/scene.ts";

const RELEASE = "release-0.1";

/** What the release left, opened by today's server. */
async function openRelease() {
  await using opened = new AsyncDisposableStack();
  const { dataDir, clock, known } = opened.use(await releaseDirectory(RELEASE));
  const tunnels = { bind: "127.0.0.1", ports: [TUNNEL_PORTS] };
  const backend = opened.use(await startBackend({ dataDir, clock, tunnels }));
  const secrets = { ...known.secrets };
  const server = { url: backend.url, fingerprint: backend.fingerprint };
  /** Connects a host with the secret it has; it stores the one it is handed. */
  const enter = (name: HostName) =>
    joinAs({
      server,
      name,
      secret: secrets[name],
      hostKey: known.hostKey,
      onSecret: (secret) => {
        secrets[name] = secret;
      },
    });
  const closing = opened.move();
  return { backend, known, secrets, enter, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

describe("D-10: a data directory of the release before", () => {
  it("keeps every table of records and every row when it is opened and closed", async () => {
    await using release = await releaseDirectory(RELEASE);
    const { dataDir, clock } = release;
    const before = await contentsOf(dataDir);
    await (await startBackend({ dataDir, clock }))[Symbol.asyncDispose]();
    expect(await contentsOf(dataDir)).toEqual(before);
  });

  it("shows credentials, secrets, clients, the rotation and the audit log as they were", async () => {
    await using opened = await openRelease();
    const { backend, known } = opened;
    expect(backend.fingerprint).toBe(known.fingerprint);
    const { "/auditlog": log, ...answers } = known.answers;
    for (const [path, answer] of Object.entries(answers)) {
      const { status, body } = await backend.raw("GET", path);
      expect({ path, status, body }).toMatchObject({ path, status: 200, body: answer });
    }
    const entries = (log as { data: { seq: number }[] }).data;
    expect(entries.length).toBeGreaterThan(5);
    const newest = entries[0]?.seq ?? 0;
    const { body } = await backend.raw("GET", "/auditlog", {
      query: { sort: "-seq", "page[limit]": "100" },
    });
    const now = (body as { data: { seq: number }[] }).data;
    const then = now.filter(({ seq }) => seq <= newest).slice(0, entries.length);
    expect(then).toMatchObject(entries);
  });

  it("has an audit log that is sound, and goes on in the same chain", async () => {
    await using release = await releaseDirectory(RELEASE);
    const { dataDir, clock } = release;
    const text = await readFile(join(dataDir, "audit.key"), "utf8");
    const key = createSecretKey(Buffer.from(text.trim(), "hex"));
    const directory = join(dataDir, "audit");
    const before = await verifyLog({ directory, key });
    if (before.kind !== "ok") throw new Error(before.what);
    await (await startBackend({ dataDir, clock }))[Symbol.asyncDispose]();
    const after = await verifyLog({ directory, key, noted: before.head });
    if (after.kind !== "ok") throw new Error(after.what);
    expect(after.firstSeq).toBe(before.firstSeq);
    expect(after.head.seq).toBeGreaterThan(before.head.seq);
  });

  it.each(["shared", "paired", "renamed", "typed", "moved"] as const)(
    "lets the host in with the secret it has: %s",
    async (name) => {
      await using opened = await openRelease();
      await using _agent = await opened.enter(name);
      const client = await opened.backend.api("getClient", { params: { clientId: name } });
      expect(client).toMatchObject({
        connection_state: "connected",
        client_auth_id: HOSTS[name],
        host_key_change: null,
        duplicate: null,
      });
    },
  );

  it("lets today's agent in where an earlier one was", async () => {
    await using opened = await openRelease();
    const { url, fingerprint } = opened.backend;
    const client = { fingerprint, auth: `fleet:${opened.known.secrets.shared}`, id: "shared" };
    await using agent = await startAgent({ server: url, client });
    await agent.online();
  });

  it.each([
    ["a revoked host", "revoked", "revoked-client"],
    ["a host of a deleted credential", "orphan", "revoked-credential"],
  ] as const)("keeps %s out", async (_, name, reason) => {
    await using opened = await openRelease();
    await expect(opened.enter(name)).rejects.toThrow();
    await eventually(async () => {
      expect(await opened.backend.api("listRefusals")).toMatchObject([{ reason }]);
    });
  });

  it("brings the tunnel of a host back on its port", async () => {
    await using opened = await openRelease();
    await using _agent = await opened.enter("paired");
    const lport = opened.known.tunnelPort;
    await eventually(async () => {
      expect(await opened.backend.api("listTunnels")).toMatchObject([
        { client_id: "paired", name: "shell", lport, rport: "22", acl: "127.0.0.0/8" },
      ]);
    });
  });

  it("goes on with the rotation, and ends it when the last host has come", async () => {
    await using opened = await openRelease();
    const { backend, known, secrets, enter } = opened;
    {
      await using _agent = await enter("away");
      const params = { authId: "rotating" };
      await eventually(async () => {
        expect(await backend.api("getRotation", { params })).toMatchObject({ rotation: null });
      });
    }
    const renewed = secrets.away;
    expect(renewed).not.toBe(known.secrets.away);
    secrets.away = known.secrets.away;
    await expect(enter("away")).rejects.toThrow();
    secrets.away = renewed;
    await using _again = await enter("away");
  });
});
