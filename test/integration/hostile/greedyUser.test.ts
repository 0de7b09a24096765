import { once } from "node:events";
import { EVENTS_PATH } from "@rport/protocol/http";
import { ADMINISTRATORS } from "@rport/protocol/people/right";
import { groupListSchema } from "@rport/protocol/people/user";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { addUser, bearer, newToken, send, signIn } from "../../support/backend/person.ts";
import { eventually } from "../../support/eventually.ts";

const GROUP = groupListSchema.parse([ADMINISTRATORS]);
const open: WebSocket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.terminate();
});

/** An event socket with a token; resolves with its HTTP status when it is refused. */
async function watch({ url }: RunningBackend, token: string): Promise<WebSocket | number> {
  const socket = new WebSocket(`${url.replace("http", "ws")}${EVENTS_PATH}`, {
    headers: { Authorization: bearer(token) },
  });
  open.push(socket);
  socket.on("error", () => {});
  const refused = once(socket, "unexpected-response").then(([, { statusCode }]) => statusCode);
  return await Promise.race([once(socket, "open").then(() => socket), refused]);
}

/** What unfinished messages cost now, of all users. */
const used = ({ backend }: RunningBackend): number | undefined =>
  backend.limits.states().find(({ name }) => name === "unfinished_bytes")?.used;

async function rename(running: RunningBackend, token: string, username: string): Promise<number> {
  const authorization = bearer(token);
  return (await send(running, "PUT /me", { authorization, json: { username } })).status;
}

describe("a user who has no rights, and takes what can be had", () => {
  it("has so many connections at the most, and everybody else comes in", async () => {
    await using backend = await startBackend({ limits: { sockets_per_user: 8 } });
    await addUser(backend, "eve");
    await addUser(backend, "anna");
    const token = await signIn(backend, "eve");
    const sockets = await Promise.all(Array.from({ length: 8 }, () => watch(backend, token)));
    expect(sockets.every((socket) => socket instanceof WebSocket)).toBe(true);
    expect(await watch(backend, token)).toBe(429);
    const refused = await send(backend, "GET /me", { authorization: bearer(token) });
    expect(refused.status).toBe(429);
    const hers = await signIn(backend, "anna");
    expect(await watch(backend, hers)).toBeInstanceOf(WebSocket);
    await backend.logged((line) => line.includes("sockets_per_user") && line.includes("eve"));
    open[0]?.terminate();
    await expect
      .poll(async () => (await send(backend, "GET /me", { authorization: bearer(token) })).status)
      .toBe(200);
  });

  it("has no more of them under another name", async () => {
    await using backend = await startBackend({ limits: { sockets_per_user: 8 } });
    await addUser(backend, "eve");
    const token = await signIn(backend, "eve");
    for (let n = 0; n < 6; n += 1) expect(await watch(backend, token)).toBeInstanceOf(WebSocket);
    expect(await rename(backend, token, "mallory")).toBe(204);
    const sockets = await Promise.all(Array.from({ length: 8 }, () => watch(backend, token)));
    expect(sockets).toContain(429);
    await backend.logged((line) => line.includes("sockets_per_user") && line.includes("mallory"));
  });

  it("takes another name a few times an hour, and is told when the next one is theirs", async () => {
    await using backend = await startBackend({ limits: { renames_per_user: 3 } });
    await addUser(backend, "eve");
    await addUser(backend, "root", { groups: GROUP });
    const token = await signIn(backend, "eve");
    for (const name of ["eve1", "eve2", "eve3"]) {
      expect(await rename(backend, token, name)).toBe(204);
    }
    const refused = await send(backend, "PUT /me", {
      authorization: bearer(token),
      json: { username: "eve4" },
    });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(600);
    await backend.logged((line) => line.includes("renames_per_user") && line.includes("eve3"));
    const admin = await signIn(backend, "root");
    for (const name of ["r1", "r2", "r3", "r4"]) {
      expect(await rename(backend, admin, name)).toBe(204);
    }
  });

  it("leaves half of all connections to administrators and agents, however many users there are", async () => {
    const limits = { sockets: 64, sockets_per_user: 16 };
    await using backend = await startBackend({ limits });
    const users = ["eve", "mallory", "trudy", "oscar"];
    for (const user of users) await addUser(backend, user);
    await addUser(backend, "root", { groups: GROUP });
    const admin = await signIn(backend, "root");
    const tokens = await Promise.all(users.map((user) => signIn(backend, user)));
    const all = tokens.flatMap((token) => Array.from({ length: 16 }, () => token));
    const sockets = await Promise.all(all.map((token) => watch(backend, token)));
    const taken = sockets.filter((socket) => socket instanceof WebSocket);
    expect(taken.length).toBeLessThanOrEqual(32);
    expect(taken.length).toBeGreaterThan(20);
    expect(await watch(backend, admin)).toBeInstanceOf(WebSocket);
    const { status } = await send(backend, "GET /status", { authorization: bearer(admin) });
    expect(status).toBe(200);
  });

  it("changes so much in a minute, and may end what is theirs all the same", async () => {
    await using backend = await startBackend({ limits: { changes_per_user: 10 } });
    await addUser(backend, "eve");
    const session = await signIn(backend, "eve");
    const authorization = bearer(session);
    const { prefix } = await newToken(backend, session);
    const rename = (name: string) =>
      send(backend, "PUT /me", { authorization, json: { display_name: name } });
    for (let n = 1; n < 10; n += 1) expect((await rename(`Eve ${n}`)).status).toBe(204);
    const refused = await rename("Eve 10");
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    const end = await send(backend, `DELETE /me/tokens/${prefix}`, { authorization });
    expect(end.status).toBe(204);
    await backend.logged((line) => line.includes("changes_per_user") && line.includes("eve"));
  });

  it("says next to nothing on an event socket: what would be half a megabyte ends it", async () => {
    await using backend = await startBackend();
    await addUser(backend, "eve");
    const socket = await watch(backend, await signIn(backend, "eve"));
    if (!(socket instanceof WebSocket)) throw new Error(`refused: ${socket}`);
    const closed = once(socket, "close");
    socket.send(Buffer.alloc(500_000), { fin: false });
    expect((await closed)[0]).toBe(1009);
    await backend.logged((line) => line.includes("watch_message_bytes"));
  });

  it.each([
    ["a message", (socket: WebSocket) => socket.send("x")],
    [
      "pieces without content",
      (socket: WebSocket) => {
        for (let n = 0; n < 3; n += 1) socket.send("", { fin: false });
      },
    ],
  ])("says nothing at all on an event socket: %s ends it", async (_what, say) => {
    await using backend = await startBackend();
    await addUser(backend, "eve");
    const socket = await watch(backend, await signIn(backend, "eve"));
    if (!(socket instanceof WebSocket)) throw new Error(`refused: ${socket}`);
    socket.ping();
    await once(socket, "pong");
    const closed = once(socket, "close");
    say(socket);
    expect((await closed)[0]).toBe(1008);
    await backend.logged((line) => line.includes("watch_message_bytes") && line.includes("eve"));
  });

  it("is not waited for where what ended the socket is not read", async () => {
    await using backend = await startBackend();
    await addUser(backend, "eve");
    const socket = await watch(backend, await signIn(backend, "eve"));
    if (!(socket instanceof WebSocket)) throw new Error(`refused: ${socket}`);
    socket.pause();
    socket.send(Buffer.alloc(16 << 20), { fin: false });
    const { sockets } = backend.backend.accounts;
    await eventually(() => expect(sockets.of("eve").sockets).toBe(0));
  });

  it("has so much of unfinished messages at the most, of all sockets together", async () => {
    const limits = { watch_message_bytes: 1 << 20, unfinished_bytes_per_user: 1 << 20 };
    await using backend = await startBackend({ limits });
    await addUser(backend, "eve");
    await addUser(backend, "anna");
    const token = await signIn(backend, "eve");
    const larger = await watch(backend, token);
    const smaller = await watch(backend, token);
    const hers = await watch(backend, await signIn(backend, "anna"));
    if (!(larger instanceof WebSocket && smaller instanceof WebSocket)) throw new Error("refused");
    if (!(hers instanceof WebSocket)) throw new Error("refused");
    const ended = once(larger, "close");
    hers.send(Buffer.alloc(900_000), { fin: false });
    larger.send(Buffer.alloc(700_000), { fin: false });
    await eventually(() => expect(used(backend)).toBeGreaterThan(1_500_000));
    smaller.send(Buffer.alloc(600_000), { fin: false });
    await ended;
    await backend.logged(
      (line) => line.includes("unfinished_bytes_per_user") && line.includes("eve"),
    );
    expect([smaller.readyState, hers.readyState]).toEqual([WebSocket.OPEN, WebSocket.OPEN]);
    smaller.terminate();
    hers.terminate();
    await eventually(() => expect(used(backend)).toBe(0));
  });
});
