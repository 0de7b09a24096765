import { randomBytes } from "node:crypto";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { authIdSchema } from "@rport/protocol/ids";
import { clientTransport } from "@rport/protocol/wire/transport";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { runCli, startAgent, startEnrolledAgent } from "../../support/agents/agent.ts";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { agentOf, FLEET } from "../../support/backend/fleet.ts";
import { eventually } from "../../support/eventually.ts";
import { seededRandom } from "../../support/random.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";
import { exchange, pattern, tcpServer } from "../../support/wire/wireTunnel.ts";

const HEALTHY = "healthy";

/** Bytes that no cipher and no length makes sense of. */
const noise = (size: number): Buffer => Buffer.concat([Buffer.alloc(8, 0xff), randomBytes(size)]);

/** What sends garbage, by how far it comes first. Each resolves when the server has hung up. */
const GARBAGE: Readonly<Record<string, (peer: Peer) => Promise<void>>> = {
  "no SSH at all": async ({ open, closed }) => {
    const ws = await open();
    ws.send(noise(20_000));
    await closed(ws);
  },
  "a text message": async ({ open, closed }) => {
    const ws = await open();
    ws.send("GET / HTTP/1.1\r\n\r\n");
    await closed(ws);
  },
  "noise after a good identification": async ({ open, closed }) => {
    const ws = await open();
    ws.send("SSH-2.0-x\r\n");
    ws.send(noise(40_000));
    await closed(ws);
  },
  "noise after the login": async ({ dial, login, closed }) => {
    const ws = dial();
    await clientTransport(ws, { ...login, verifyServerKey: () => true }).ready;
    ws.send(noise(100_000));
    await closed(ws);
  },
  "an introduction that is none": async ({ join: signIn }) => {
    const agent = await signIn();
    const reply = await agent.connection.request("new_connection", randomBytes(5_000), 10_000);
    expect(reply.ok).toBe(false);
    await agent.closed;
  },
  "an introduction of the wrong types": async ({ join: signIn }) => {
    const agent = await signIn();
    const reply = await agent.ask("new_connection", { ID: ["x"], Version: {}, IPv4: "y" });
    expect(reply).toMatchObject({ ok: false, text: expect.stringContaining("not valid") });
    await agent.closed;
  },
};

/** What one that sends garbage has at hand. */
interface Peer {
  readonly login: { readonly user: string; readonly password: string };
  /** A socket that is still connecting. */
  dial(): WebSocket;
  open(): Promise<WebSocket>;
  closed(ws: WebSocket): Promise<void>;
  join(): Promise<PeerAgent>;
}

function peerOf(backend: RunningBackend, password: string): Peer {
  const url = backend.url.replace("http", "ws");
  const login = { user: FLEET, password };
  const dial = (): WebSocket => {
    const headers = { "Sec-WebSocket-Protocol": "rport-v1" };
    const ws = new WebSocket(url, { headers, perMessageDeflate: false });
    ws.on("error", () => {});
    return ws;
  };
  return {
    login,
    dial,
    open: async () => {
      const ws = dial();
      await new Promise((resolve) => ws.once("open", resolve));
      return ws;
    },
    closed: (ws) =>
      ws.readyState === ws.CLOSED
        ? Promise.resolve()
        : new Promise((resolve) => void ws.once("close", () => resolve())),
    join: () => PeerAgent.signIn({ url, ...login }),
  };
}

/** Sends through the tunnel until told to stop; answers how often everything came back intact. */
async function transferUntil(port: number, isOver: () => boolean): Promise<[number, number]> {
  let [sent, intact] = [0, 0];
  while (!isOver()) {
    const bytes = pattern(300_000 + sent, sent);
    sent += 1;
    if ((await exchange(port, bytes, "half-close")).equals(bytes)) intact += 1;
  }
  return [sent, intact];
}

describe("agents that send garbage", () => {
  it("C-02, F-25: before and after the login are cut and counted, while the tunnel of another one carries on intact", async () => {
    await using backend = await startBackend();
    const { password } = await backend.api("createCredential", { body: { id: FLEET } });
    await using echo = await tcpServer((socket) => socket.pipe(socket));
    await using agent = await startAgent(agentOf(backend, password, HEALTHY));
    await agent.online();
    const states: string[] = [];
    agent.agent.watch(({ kind }) => states.push(kind));
    const query = { remote: String(echo.port) };
    const params = { clientId: HEALTHY };
    const { lport } = await backend.api("createTunnel", { params, query });

    let isOver = false;
    const transferring = transferUntil(Number(lport), () => isOver);
    const peer = peerOf(backend, password);
    try {
      for (let round = 0; round < 3; round += 1) {
        await Promise.all(Object.values(GARBAGE).map((send) => send(peer)));
      }
    } finally {
      isOver = true;
    }
    const [sent, intact] = await transferring;
    expect(intact).toBe(sent);
    expect(sent).toBeGreaterThan(0);
    const { beforeLogin, afterLogin, failedLogins } = backend.backend.agentDoor.counters;
    expect({ beforeLogin, failedLogins }).toEqual({ beforeLogin: 9, failedLogins: 0 });
    expect(afterLogin).toBeGreaterThanOrEqual(9);
    expect(states).toEqual([]);
    expect((await backend.api("listClients")).map(({ id }) => id)).toEqual([HEALTHY]);
    const id = authIdSchema.parse(FLEET);
    await expect.poll(() => backend.backend.presence.ofCredential(id).length).toBe(1);
  });

  it("C-05: that ask for what agents may not have are refused and counted, and stay alone with it", async () => {
    await using backend = await startBackend();
    const { password } = await backend.api("createCredential", { body: { id: FLEET } });
    await using agent = await startAgent(agentOf(backend, password, HEALTHY));
    await agent.online();
    await using other = await peerOf(backend, password).join();
    await other.introduce();
    for (const type of ["session", "direct-tcpip", "rport", "auth-agent@openssh.com", ""]) {
      await expect(other.connection.open(type, Buffer.from("127.0.0.1:22"))).rejects.toThrow(
        "agents do not open channels",
      );
    }
    for (const name of ["run_cmd", "tcpip-forward", "__proto__"]) {
      expect(await other.ask(name, {})).toMatchObject({ ok: false });
    }
    expect(backend.backend.agentDoor.counters.afterLogin).toBe(8);
    expect(backend.logLines.filter((line) => line.includes("agent tried to open"))).toHaveLength(1);
    expect(agent.agent.state.kind).toBe("online");
  });
});

describe("deleting a credential", () => {
  it("C-36: of 60 that are deleted while their hosts sign in, none leaves a session behind for a second", async () => {
    const random = seededRandom();
    await using backend = await startBackend();
    const { presence } = backend.backend;
    let letIn = 0;
    const race = async (name: string): Promise<void> => {
      const id = authIdSchema.parse(name);
      const { password } = await backend.api("createCredential", { body: { id } });
      const url = backend.url.replace("http", "ws");
      const joining = [1, 2, 3].map((n) =>
        PeerAgent.join({ url, user: id, password, introduction: { ID: `${id}-${n}` } }),
      );
      const settled = Promise.allSettled(joining);
      for (let turns = random.below(60); turns > 0; turns -= 1) await nextTurn();
      const query = { force: "true", purge: "true" };
      await backend.api("deleteCredential", { params: { authId: id }, query });
      const answeredMs = performance.now();
      for (const one of await settled) {
        if (one.status === "rejected") continue;
        letIn += 1;
        await one.value.closed;
      }
      expect(presence.ofCredential(id)).toEqual([]);
      expect(performance.now() - answeredMs).toBeLessThan(1_000);
    };
    try {
      for (let batch = 0; batch < 10; batch += 1) {
        await Promise.all([1, 2, 3, 4, 5, 6].map((n) => race(`raced-${batch}-${n}`)));
      }
      expect(presence.count).toBe(0);
      expect(letIn).toBeGreaterThan(0);
    } catch (caught) {
      throw new Error(`with RPORT_TEST_SEED=${random.seed}`, { cause: caught });
    }
  });
});

describe("a copied disk image", () => {
  it("S-02: is refused in words while the first host is connected, disturbs it in nothing, and is cured by --new-id", async () => {
    await using backend = await startBackend();
    await using temp = await tempDirectory();
    const [first, copy] = [join(temp.path, "first.conf"), join(temp.path, "copy.conf")];
    const enroll = async (file: string, more: readonly string[]) => {
      const [credential] = await backend.api("listCredentials");
      const body = { credential_id: credential?.id ?? "" };
      const { token } = await backend.api("createPairing", { body });
      const where = ["--server", backend.url, "--config", file, "--token-stdin"];
      expect(await runCli(["enroll", ...where, ...more], token)).toMatchObject({ code: 0 });
    };
    await enroll(first, ["--new-id", "--name", "web-1", "--data-dir", join(temp.path, "first")]);
    await using original = await startEnrolledAgent(first);
    await original.online();
    const states: string[] = [];
    original.agent.watch(({ kind }) => states.push(kind));
    await copyFile(first, copy);
    const text = await readFile(copy, "utf8");
    await writeFile(copy, text.replace(join(temp.path, "first"), join(temp.path, "copy")));

    {
      await using clone = await startEnrolledAgent(copy);
      const state = await clone.until(({ kind }) => kind === "waiting");
      const { clientId } = original.agent.identity;
      const why = `client is already connected: web-1 [${clientId}]`;
      expect(state).toMatchObject({ reason: { text: expect.stringContaining(why) } });
      const line = await backend.logged((entry) => entry.includes("agent refused"));
      expect(line).toContain("already connected");
      expect(clone.lines.join("")).toContain("already connected");
    }
    await enroll(copy, ["--new-id"]);
    await using cured = await startEnrolledAgent(copy);
    await cured.online();
    expect(cured.agent.identity.clientId).not.toBe(original.agent.identity.clientId);
    await eventually(async () => expect(await backend.api("listClients")).toHaveLength(2));
    expect(states).toEqual([]);
  });
});
