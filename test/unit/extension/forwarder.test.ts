import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { CLOSE_CODES } from "@rport/protocol/errors";
import { describe, expect, it } from "vitest";
import type { AccessSource } from "../../../extension/src/api/access.ts";
import { Forwarder } from "../../../extension/src/tunnels/forwarder.ts";
import { eventually } from "../../support/eventually.ts";
import { steady } from "../../support/steady.ts";
import { type Dial, startDialServer } from "./fakeDialServer.ts";

const remote = { host: "127.0.0.1", port: 80 };

async function open(onDial: (dial: Dial) => void, now: () => number = Date.now) {
  const server = await startDialServer(onDial);
  const access: AccessSource = async () => ({
    kind: "ready",
    url: server.url,
    authorization: "Bearer a-token",
  });
  const forwarder = await Forwarder.listen({ access, clientId: "web 01", remote }, [0], now);
  return {
    server,
    forwarder,
    connect: () => connect({ port: forwarder.port, host: "127.0.0.1", allowHalfOpen: true }),
    async [Symbol.asyncDispose]() {
      forwarder.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Sends everything back; ends its direction when the other has ended. */
function echo({ socket }: Dial): void {
  socket.on("message", (data) => socket.send(data));
}

function endOf(socket: Socket): Promise<"reset" | "closed"> {
  socket.on("error", () => undefined);
  socket.resume();
  return new Promise((resolve) => {
    socket.once("close", (hadError) => resolve(hadError ? "reset" : "closed"));
  });
}

describe("an editor tunnel", () => {
  it("carries one connection in one WebSocket, with the token in a header", async () => {
    const dials: Dial[] = [];
    await using tunnel = await open((dial) => {
      dials.push(dial);
      echo(dial);
    });
    const local = tunnel.connect();
    local.end("hello");
    expect(await text(local)).toBe("hello");
    const [dial] = dials;
    expect(Object.fromEntries(dial?.query ?? [])).toEqual({
      client_id: "web 01",
      host: "127.0.0.1",
      port: "80",
    });
    expect(dial?.authorization).toBe("Bearer a-token");
  });

  it("counts what its connections carry, both ways, and when somebody used it last", async () => {
    let nowMs = 1_000;
    const answer = Buffer.alloc(70_000, 7);
    await using tunnel = await open(
      ({ socket }) => {
        socket.on("message", (data: Buffer) => {
          if (data.length === 0) socket.send(Buffer.alloc(0));
          else socket.send(answer);
        });
      },
      () => nowMs,
    );
    const nothing = { connections: 0, connectionsTotal: 0, usedAtMs: undefined };
    expect(tunnel.forwarder.traffic).toEqual({ sinceMs: 1_000, received: 0, sent: 0, ...nothing });
    nowMs = 2_000;
    const local = tunnel.connect();
    local.write("hello");
    await once(local, "data");
    await eventually(() => expect(tunnel.forwarder.traffic.received).toBe(70_000));
    const carried = { sinceMs: 1_000, received: 70_000, sent: 5 };
    const inUse = { connections: 1, connectionsTotal: 1, usedAtMs: 2_000 };
    expect(tunnel.forwarder.traffic).toEqual({ ...carried, ...inUse });
    nowMs = 3_000;
    local.end();
    await endOf(local);
    await eventually(() => {
      const over = { connections: 0, connectionsTotal: 1, usedAtMs: 3_000 };
      expect(tunnel.forwarder.traffic).toEqual({ ...carried, ...over });
    });
  });

  it("delivers the answer that comes after the local program has ended its direction", async () => {
    await using tunnel = await open(({ socket }) => {
      const chunks: Buffer[] = [];
      socket.on("message", (data: Buffer) => {
        chunks.push(data);
        if (data.length > 0) return;
        socket.send(`got ${Buffer.concat(chunks)}`, { binary: true });
        socket.send(Buffer.alloc(0));
      });
    });
    const local = tunnel.connect();
    local.end("all of it");
    expect(await text(local)).toBe("got all of it");
  });

  it("delivers everything when the server closes right after its last byte", async () => {
    const sent = Buffer.alloc(3_000_000, 7);
    await using tunnel = await open(({ socket }) => {
      for (let at = 0; at < sent.length; at += 60_000) socket.send(sent.subarray(at, at + 60_000));
      socket.send(Buffer.alloc(0));
      socket.close(1000);
    });
    expect((await buffer(tunnel.connect())).equals(sent)).toBe(true);
  });

  it("F-09: makes the local program wait while the server does not read", async () => {
    let release: (() => void) | undefined;
    await using tunnel = await open((dial) => {
      dial.socket.pause();
      release = () => {
        echo(dial);
        dial.socket.resume();
      };
    });
    const local = tunnel.connect();
    const sent = Buffer.alloc(40_000_000, 1);
    let isFlushed = false;
    local.write(sent, () => {
      isFlushed = true;
    });
    await eventually(() => expect(release).toBeDefined());
    const carried = () => tunnel.forwarder.traffic.sent;
    await eventually(() => expect(carried()).toBeGreaterThan(0));
    expect(await steady(carried, 40)).toBeLessThan(sent.length / 2);
    expect(isFlushed).toBe(false);
    release?.();
    local.end();
    expect((await buffer(local)).length).toBe(sent.length);
  });

  it("tells why a connection could not be made, and recovers with the next one", async () => {
    await using tunnel = await open(echo);
    const body = JSON.stringify({
      errors: [{ code: "CLIENT_OFFLINE", title: "web-01 is offline.", detail: "" }],
    });
    tunnel.server.refuse({ status: 404, body });
    expect(await endOf(tunnel.connect())).toBe("reset");
    await eventually(() => expect(tunnel.forwarder.failure).toBe("web-01 is offline."));
    tunnel.server.refuse(undefined);
    const local = tunnel.connect();
    local.write("x");
    await once(local, "data");
    // it is not over yet, and shows all the same that the target is there
    expect(tunnel.forwarder).toMatchObject({ failure: undefined, connections: 1 });
    local.destroy();
  });

  it("tells the reason when the server refuses after the upgrade", async () => {
    await using tunnel = await open(({ socket }) => {
      socket.close(CLOSE_CODES.refused, "Nothing listens on port 80.");
    });
    expect(await endOf(tunnel.connect())).toBe("reset");
    await eventually(() => expect(tunnel.forwarder.failure).toBe("Nothing listens on port 80."));
  });

  it("takes a stream that ends at once, before any byte, for a port without a listener", async () => {
    await using tunnel = await open(({ socket }) => {
      socket.send(Buffer.alloc(0));
      socket.close(1000);
    });
    const local = tunnel.connect();
    local.write("hello?");
    expect(await text(local)).toBe("");
    local.end();
    await eventually(() => expect(tunnel.forwarder.failure).toContain("is something listening"));
  });

  it("does not take it so when the local program ended first", async () => {
    await using tunnel = await open(({ socket }) => {
      socket.on("message", (data: Buffer) => {
        if (data.length > 0) return;
        socket.send(Buffer.alloc(0));
        socket.close(1000);
      });
    });
    const local = tunnel.connect();
    local.end("fire and forget");
    expect(await text(local)).toBe("");
    await eventually(() => expect(tunnel.forwarder.connections).toBe(0));
    expect(tunnel.forwarder.failure).toBeUndefined();
  });

  it("counts its connections and cuts them when it is closed", async () => {
    await using tunnel = await open(echo);
    const local = tunnel.connect();
    local.write("x");
    await once(local, "data");
    expect(tunnel.forwarder.connections).toBe(1);
    const ended = endOf(local);
    tunnel.forwarder.close();
    expect(await ended).toBe("reset");
    expect(tunnel.forwarder.connections).toBe(0);
  });

  it("does not call a tunnel failed because working connections were cut, but says when and why", async () => {
    const dials: Dial[] = [];
    let nowMs = 1_000;
    await using tunnel = await open(
      (dial) => {
        dials.push(dial);
        echo(dial);
      },
      () => nowMs,
    );
    const { forwarder } = tunnel;
    const cutOne = async (cut: (dial: Dial | undefined) => void) => {
      const local = tunnel.connect();
      local.write("x");
      await once(local, "data");
      cut(dials.pop());
      expect(await endOf(local)).toBe("reset");
      await eventually(() => expect(forwarder.connections).toBe(0));
      expect(forwarder.failure).toBeUndefined();
      return forwarder.broke;
    };
    const why = "The connection to the server was lost.";
    const lose = (dial: Dial | undefined) => dial?.socket.terminate();
    expect(await cutOne(lose)).toEqual({ why, atMs: 1_000, connections: 1 });
    nowMs = 3_000;
    expect(await cutOne(lose)).toEqual({ why, atMs: 3_000, connections: 2 });
    nowMs = 60_000;
    expect(await cutOne(lose)).toEqual({ why, atMs: 60_000, connections: 1 });
    const refuse = (dial: Dial | undefined) => dial?.socket.close(CLOSE_CODES.refused, "You left.");
    expect(await cutOne(refuse)).toEqual({ why: "You left.", atMs: 60_000, connections: 1 });
    const hostLost = "The connection was cut on its way to the host.";
    const loseHost = (dial: Dial | undefined) => dial?.socket.close(CLOSE_CODES.cutOff, "Cut.");
    expect(await cutOne(loseHost)).toEqual({ why: hostLost, atMs: 60_000, connections: 1 });
  });

  it("has nothing to say of connections that end as their programs want", async () => {
    await using tunnel = await open(echo);
    const local = tunnel.connect();
    local.end("hello");
    expect(await text(local)).toBe("hello");
    const reset = tunnel.connect();
    reset.write("x");
    await once(reset, "data");
    reset.resetAndDestroy();
    await eventually(() => expect(tunnel.forwarder.connections).toBe(0));
    expect(tunnel.forwarder.broke).toBeUndefined();
  });

  it("takes the next port when the wanted one is in use", async () => {
    const busy = createServer().listen(0, "127.0.0.1");
    await once(busy, "listening");
    const { port } = busy.address() as { port: number };
    const access: AccessSource = async () => ({ kind: "noToken" });
    const target = { access, clientId: "c", remote };
    await expect(Forwarder.listen(target, [port])).rejects.toMatchObject({
      code: "ERR_CODE_LOCAL_PORT_IN_USE",
    });
    const forwarder = await Forwarder.listen(target, [port, 0]);
    expect(forwarder.port).not.toBe(port);
    forwarder.close();
    busy.close();
  });
});
