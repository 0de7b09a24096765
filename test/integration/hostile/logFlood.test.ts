import { once } from "node:events";
import { EVENTS_PATH } from "@rport/protocol/http";
import { expect, it } from "vitest";
import { WebSocket } from "ws";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { addUser, bearer, send, signIn } from "../../support/backend/person.ts";

/** Lines of a kind that the log has at its usual level, and for those who look closely. */
function linesOf({ logLines }: RunningBackend, message: string, user: string) {
  const all = logLines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const theirs = all.filter((line) => line.message === message && line.user === user);
  return {
    usual: theirs.filter(({ level }) => level !== "debug").length,
    debug: theirs.filter(({ level }) => level === "debug").length,
  };
}

it("a user whose requests are refused and who opens sockets leaves five lines of each a minute", async () => {
  await using backend = await startBackend();
  for (const name of ["mallory", "anna"]) await addUser(backend, name);
  const authorization = bearer(await signIn(backend, "mallory"));
  for (let n = 0; n < 40; n += 1) {
    expect((await send(backend, "GET /nothing", { authorization })).status).toBe(404);
    const url = `${backend.url.replace("http", "ws")}${EVENTS_PATH}`;
    const socket = new WebSocket(url, { headers: { Authorization: authorization } });
    await once(socket, "open");
    socket.terminate();
  }
  const hers = bearer(await signIn(backend, "anna"));
  await send(backend, "GET /nothing", { authorization: hers });
  await expect.poll(() => linesOf(backend, "request", "anna").usual).toBe(1);
  // What went well is debug in any case: her sign-in came before there was a user.
  expect(linesOf(backend, "request", "mallory")).toEqual({ usual: 5, debug: 35 });
  expect(linesOf(backend, "user socket opened", "mallory")).toEqual({ usual: 5, debug: 35 });
});
