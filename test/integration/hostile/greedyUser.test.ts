import { once } from "node:events";
import { EVENTS_PATH } from "@rport/protocol/http";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { addUser, bearer, newToken, send, signIn } from "../../support/backend/person.ts";
import { eventually } from "../../support/eventually.ts";

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
