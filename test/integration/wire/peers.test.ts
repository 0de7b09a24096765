import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { Worker } from "node:worker_threads";
import type { Channel } from "@rport/protocol/wire/channel";
import { Connection, type ConnectionDeps } from "@rport/protocol/wire/connection";
import { clientTransport, serverTransport } from "@rport/protocol/wire/transport";
import { RequestRefused } from "@rport/protocol/wire/wireError";
import { describe, expect, it } from "vitest";
import { sshString } from "../../support/faults/rawPeer.ts";
import type { PeerReport, PeerTask } from "../../support/wire/ssh2Peer.ts";
import { dial, LOGIN, listen, PASSWORD, SERVER_KEY, USER } from "../../support/wire/wirePair.ts";

const PEER = new URL("../../support/wire/ssh2Peer.ts", import.meta.url);

function startPeer(task: PeerTask) {
  const worker = new Worker(PEER, { workerData: task });
  return {
    worker,
    async next(): Promise<PeerReport> {
      const [report] = (await once(worker, "message")) as [PeerReport];
      if (report.kind === "failed") throw new Error(report.text);
      return report;
    },
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}

function echo(channel: Channel): void {
  channel.pipe(channel);
}

/** Echoes every channel but those to port 1, and grants forwarding. */
const ECHO: ConnectionDeps = {
  halfClose: true,
  onRequest(name) {
    if (name !== "tcpip-forward") throw new RequestRefused("unknown request");
    return Buffer.of(0, 0, 0x1f, 0x56);
  },
  onOpen: (_type, extra) =>
    extra.readUInt32BE(4 + extra.readUInt32BE(0)) === 1
      ? { refuse: "not this port" }
      : { accept: echo },
};

describe("ssh2's own client", () => {
  it("logs in here, moves data through a key exchange, and is refused where it should be", async () => {
    const connected = Promise.withResolvers<Connection>();
    await using listener = await listen((ws) => {
      const transport = serverTransport(ws, { serverKey: SERVER_KEY, login: LOGIN });
      connected.resolve(new Connection(transport, ECHO));
    });
    const task = { role: "client", url: listener.url, user: USER, password: PASSWORD } as const;
    await using peer = startPeer(task);
    const report = await peer.next();
    expect(report).toEqual({
      kind: "done",
      seen: {
        echo: "intact",
        refused: "(SSH) Channel open failure: not this port",
        request: "port 8022",
      },
    });
    const server = await connected.promise;
    expect(server.transport.counters.rekeys).toBe(1);
    expect((await server.transport.ready).remoteIdent).toMatch(/^SSH-2\.0-ssh2js/);
  });

  it("is refused with a wrong secret", async () => {
    await using listener = await listen((ws) => {
      const transport = serverTransport(ws, { serverKey: SERVER_KEY, login: LOGIN });
      void new Connection(transport, ECHO);
    });
    const task = { role: "client", url: listener.url, user: USER, password: "1234" } as const;
    await using peer = startPeer(task);
    await expect(peer.next()).rejects.toThrow("All configured authentication methods failed");
  });
});

describe("ssh2's own server", () => {
  it("takes our login, and both ends open channels through a key exchange", async () => {
    await using peer = startPeer({ role: "server", user: USER, password: PASSWORD });
    const listening = await peer.next();
    if (listening.kind !== "listening") throw new Error("the peer does not listen");
    const done = peer.next();
    const transport = clientTransport(dial(listening.url), {
      user: USER,
      password: PASSWORD,
      verifyServerKey: () => true,
    });
    const client = new Connection(transport, { ...ECHO, onOpen: () => ({ accept: echo }) });
    expect((await transport.ready).remoteIdent).toMatch(/^SSH-2\.0-ssh2js/);
    expect(await done).toEqual({ kind: "done", seen: { echo: "intact" } });

    const data = Buffer.alloc(2_000_000, "through ssh2");
    const target = (port: number) =>
      Buffer.concat([
        sshString("127.0.0.1"),
        Buffer.of(0, 0, 0, port),
        sshString("127.0.0.1"),
        Buffer.of(0, 0, 0, 9),
      ]);
    const channel = await client.open("direct-tcpip", target(80));
    const echoed = buffer(channel);
    channel.end(data);
    expect((await echoed).equals(data)).toBe(true);
    expect(transport.counters.rekeys).toBe(1);
    await expect(client.open("direct-tcpip", target(1))).rejects.toMatchObject({ kind: "refused" });

    const session = await client.open("session", Buffer.alloc(0));
    expect(await session.request("subsystem", sshString("nothing"))).toBe(false);
    expect(await session.request("subsystem", sshString("echo"))).toBe(true);
    const answer = buffer(session);
    session.end("hello");
    expect((await answer).toString()).toBe("hello");
    const forward = Buffer.concat([sshString("127.0.0.1"), Buffer.alloc(4)]);
    expect((await client.request("tcpip-forward", forward)).ok).toBe(true);
    client.close("done");
    expect(await client.closed).toEqual({ kind: "local", text: "done" });
  });

  it("refuses a wrong secret, and we say so", async () => {
    await using peer = startPeer({ role: "server", user: USER, password: "another" });
    const listening = await peer.next();
    if (listening.kind !== "listening") throw new Error("the peer does not listen");
    const verifyServerKey = () => true;
    const options = { user: USER, password: PASSWORD, verifyServerKey };
    const transport = clientTransport(dial(listening.url), options);
    await expect(transport.ready).rejects.toMatchObject({ kind: "login" });
  });

  it("never sees our secret when its key is not the pinned one", async () => {
    await using peer = startPeer({ role: "server", user: USER, password: PASSWORD });
    const listening = await peer.next();
    if (listening.kind !== "listening") throw new Error("the peer does not listen");
    const verifyServerKey = () => false;
    const options = { user: USER, password: PASSWORD, verifyServerKey };
    const transport = clientTransport(dial(listening.url), options);
    await expect(transport.ready).rejects.toMatchObject({
      kind: "serverKey",
      message: "not the pinned server key",
    });
  });
});
