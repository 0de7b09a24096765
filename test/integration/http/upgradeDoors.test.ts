import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { UpgradeDoor } from "../../../backend/src/http/upgrade.ts";
import type { SocketEnd, UserRoute } from "../../../backend/src/http/userRoutes.ts";
import { UserSockets } from "../../../backend/src/http/userSockets.ts";
import { Limits } from "../../../backend/src/limits/limits.ts";
import { systemClock } from "../../../backend/src/platform/clock.ts";
import { LogBursts } from "../../../backend/src/platform/logBursts.ts";
import { Listener } from "../../../backend/src/server.ts";
import { OpenSockets } from "../../../backend/src/sockets/openSockets.ts";
import { UserTokens } from "../../../backend/src/users/tokens.ts";
import { testGate } from "../../support/backend/gate.ts";
import { eventually } from "../../support/eventually.ts";
import { rawHttp, upgradeHead } from "../../support/faults/rawHttp.ts";
import { testLog } from "../../support/log.ts";

const listeners: Listener[] = [];
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close();
});

async function listen(doors: readonly UpgradeDoor[]) {
  const { log, lines } = testLog();
  const place = { host: "127.0.0.1", port: 0, faces: new Set(["users"] as const) };
  const onRequest = () => {};
  const clock = systemClock;
  const limits = new Limits({ clock, log });
  const sockets = new OpenSockets({
    limits,
    isProxy: () => false,
    clock,
    onFault: (error) => {
      throw error;
    },
  });
  const strangers = new LogBursts({ clock });
  const deps = { onRequest, doors, sockets, limits, clock, log, strangers };
  const listener = await Listener.open(place, deps);
  listeners.push(listener);
  const { port } = listener;
  const ask = (path: string) => rawHttp(port, upgradeHead(path, [`Host: 127.0.0.1:${port}`]));
  return { ask, port, lines };
}

/** A door for one path that answers with a status of its own. */
const door = (path: string, status: number): UpgradeDoor => ({
  takes: ({ url }) => url === path,
  upgrade: ({ socket }) => socket.end(`HTTP/1.1 ${status} X\r\nContent-Length: 0\r\n\r\n`),
});

describe("the doors of a place", () => {
  it("are asked in their order, and who is taken by none gets 404", async () => {
    const { ask } = await listen([door("/a", 410), door("/b", 411), door("/a", 412)]);
    const answers = await Promise.all([ask("/a"), ask("/b"), ask("/c")]);
    expect(answers.map(({ status }) => status)).toEqual([410, 411, 404]);
  });

  it("cost a request its connection when they fail, and nobody else", async () => {
    const broken: UpgradeDoor = {
      takes: ({ url }) => url === "/broken",
      upgrade: () => {
        throw new Error("this door is broken");
      },
    };
    const { ask, lines } = await listen([broken, door("/a", 410)]);
    expect((await ask("/broken")).text).toBe("");
    expect((await ask("/a")).status).toBe(410);
    expect(lines.join("\n")).toContain("this door is broken");
  });
});

/** The route of a door that takes what it is told, until it may not any more. */
const ONE: UserRoute = {
  path: "/one",
  parameters: [],
  right: "user",
  messageBytes: "watch_message_bytes",
  isOneWay: false,
  watch: () => () => undefined,
  serve: () => undefined,
};

async function userSocketsOf(route: UserRoute) {
  const tokens = new UserTokens();
  const { token } = tokens.issue("ann");
  const { log, lines } = testLog();
  const userSockets = new UserSockets({
    gate: testGate(systemClock, { tokens, proofs: { provenToken: () => undefined } }),
    peerOf: () => ({ address: "192.0.2.1", isShared: false, origin: "http://a.example" }),
    onUser: () => true,
    counts: { open: () => () => {} },
    routes: [route],
    limits: new Limits({ clock: systemClock, log }),
    clock: systemClock,
    strangers: new LogBursts({ clock: systemClock }),
    log,
  });
  const { port } = await listen(userSockets.doors(() => undefined));
  const socket = new WebSocket(`ws://127.0.0.1:${port}/one?access_token=${token}`);
  return { socket, userSockets, lines };
}

describe("a user's socket", () => {
  it("ends with 1011 when it cannot be served", async () => {
    const serve = () => Promise.reject(new Error("out of order"));
    const { socket, lines } = await userSocketsOf({ ...ONE, isOneWay: true, serve });
    const [code] = await once(socket, "close");
    expect(code).toBe(1011);
    expect(lines.join("\n")).toContain("out of order");
  });

  it("is not listened to from the moment on in which it may not be open any more", async () => {
    const heard: string[] = [];
    let end: SocketEnd | undefined;
    const { socket, userSockets } = await userSocketsOf({
      ...ONE,
      watch: () => () => end,
      serve: (ws) => void ws.on("message", (data) => heard.push(String(data))),
    });
    await once(socket, "open");
    socket.send("while it may");
    await eventually(() => expect(heard).toHaveLength(1));
    // it does not read that it is to close, and talks on
    socket.pause();
    end = { code: 4004, reason: "not any more" };
    userSockets.review();
    socket.send("too late");
    await new Promise((resolve) => socket.send("and again", resolve));
    socket.resume();
    const [code] = await once(socket, "close");
    expect(code).toBe(4004);
    await eventually(() => expect(userSockets.size).toBe(0));
    expect(heard).toEqual(["while it may"]);
  });
});
