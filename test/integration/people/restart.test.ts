import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { groupNameSchema } from "@rport/protocol/people/user";
import { describe, expect, it } from "vitest";
import { startAgent } from "../../support/agents/agent.ts";
import { agentOf, makeFleet } from "../../support/backend/fleet.ts";
import { bearer, newToken, PASSWORD, send, signIn } from "../../support/backend/person.ts";
import { type SpawnedBackend, spawnBackend } from "../../support/backend/spawnBackend.ts";
import { eventually } from "../../support/eventually.ts";
import { editorWindow } from "../../support/extensionServer.ts";
import { freePort } from "../../support/freePort.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";
import { tcpServer } from "../../support/wire/wireTunnel.ts";

const HOST = "web-01";
/** Between two questions of the script, in milliseconds. */
const STEP_MS = 20;
/** How long an editor may take to be back. */
const BACK_MS = 20_000;

/** What a script met: an answer's status, or nobody. */
type Met = number | "nobody";

/** A script that asks for the clients again and again, until it is stopped. */
function askingScript(url: string, token: string) {
  const met = new Set<Met>();
  const stopping = new AbortController();
  const ask = async (): Promise<Met> => {
    try {
      return (await send({ url }, "GET /clients", { authorization: bearer(token) })).status;
    } catch {
      return "nobody";
    }
  };
  const asking = (async () => {
    while (!stopping.signal.aborted) {
      met.add(await ask());
      await pause(STEP_MS);
    }
  })();
  return {
    met,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await asking;
    },
  };
}

/** Resolves when the connection has ended, however it did. */
function endOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

/** A connection through a tunnel, after a text has gone to the target and come back. */
async function connected(port: number, text: string): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(text);
  const answer = new Promise((resolve) => socket.once("data", (data) => resolve(String(data))));
  expect(await Promise.race([answer, endOf(socket)])).toBe(text);
  return socket;
}

/** `anna`, who may open tunnels to the host and is no administrator; answers with her session. */
async function addAnna({ api, endpoint }: SpawnedBackend): Promise<string> {
  const groups = [groupNameSchema.parse("ops")];
  const params = { groupName: "ops" };
  await api.call("putUserGroup", { params, body: { permissions: { tunnels: true } } });
  await api.call("createUser", { body: { username: "anna", password: PASSWORD, groups } });
  const body = { allowed_user_groups: groups };
  await api.call("setClientAcl", { params: { clientId: HOST }, body });
  return await signIn(endpoint, "anna");
}

describe("a backend that is stopped and started again while people are at work", () => {
  it("signs nobody out: editor, tunnels, script and session go on after a reconnect", async () => {
    await using temp = await tempDirectory();
    await using echo = await tcpServer((socket) => socket.pipe(socket));
    const args = ["--port", String(await freePort())];
    await using first = await spawnBackend(temp.path, args);
    const { url } = first.endpoint;
    const password = await makeFleet(first.api);
    await using agent = await startAgent(agentOf(first.endpoint, password, HOST));
    await agent.online();
    const session = await addAnna(first);
    const laptop = await newToken({ url }, session, { name: "laptop" });
    const nightly = await newToken({ url }, session, { name: "nightly", scope: "read" });

    using editor = editorWindow(url, laptop.token);
    const { server, tunnels } = editor;
    const isShown = () => {
      expect(server.state.kind).toBe("connected");
      expect(server.clients.withStatus("online")).toEqual([HOST]);
    };
    await eventually(isShown, BACK_MS);
    const remote = { host: "127.0.0.1", port: echo.port };
    const request = {
      serverKey: url,
      clientId: HOST,
      clientName: HOST,
      remote,
      localPort: undefined,
      isThisComputer: false,
    };
    const opened = [await tunnels.open(request), await tunnels.open(request)];
    const before = await Promise.all(opened.map((one) => connected(one.localPort, "before")));
    const ends = before.map(endOf);
    const states = new Set<string>();
    server.changed.add(() => void states.add(server.state.kind));
    await using script = askingScript(url, nightly.token);
    await eventually(() => expect([...script.met]).toEqual([200]), BACK_MS);

    first.signal("SIGTERM");
    expect((await first.ended).code).toBe(0);
    await Promise.all(ends);
    await eventually(() => expect(script.met).toContain("nobody"), BACK_MS);
    await using _second = await spawnBackend(temp.path, args);
    await eventually(isShown, BACK_MS);
    for (const { localPort } of opened) {
      (await eventually(() => connected(localPort, "after"), BACK_MS)).destroy();
    }
    expect(tunnels.all.map(({ id }) => id)).toEqual(opened.map(({ id }) => id));
    expect(states).not.toContain("signedOut");
    const asked = (token: string, target: string) =>
      send({ url }, target, { authorization: bearer(token) });
    expect((await asked(nightly.token, "GET /clients")).body.data).toMatchObject([{ id: HOST }]);
    expect((await asked(session, "GET /me")).status).toBe(200);
    expect([...script.met].toSorted()).toEqual([200, "nobody"]);
  }, 120_000);
});
