import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { Looks } from "../../../../extension/src/tunnels/looks.ts";
import { eventually } from "../../../support/eventually.ts";
import { client, snapshot } from "../entities.ts";
import { type Dial, startDialServer } from "../fakeDialServer.ts";
import { fleetOn } from "../people/fleetOn.ts";
import { silentLog } from "../serverFixture.ts";

const REMOTE = { host: "127.0.0.1", port: 22 };
const CHANGED = /answers with another key than before\. Nothing is sent to it\.$/;

/** A window with a tunnel to the host web of a server, and a connection through it that has carried a greeting. */
async function tunnelOn() {
  await using stack = new AsyncDisposableStack();
  const dials: Dial[] = [];
  const dialled = stack.use(
    await startDialServer((dial) => {
      dials.push(dial);
      dial.socket.send(Buffer.from("hello"));
    }),
  );
  const servers = stack.use(await fleetOn({ clients: [client("web")], dialUrl: dialled.url }));
  const { fleet, server } = servers;
  stack.defer(() => fleet.tunnels.closeOf(server.key));
  const tunnel = await fleet.tunnels.open({
    serverKey: server.key,
    clientId: "web",
    clientName: "web",
    remote: REMOTE,
    localPort: undefined,
    isThisComputer: false,
  });
  const socket = connect(tunnel.localPort, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "data");
  const owned = stack.move();
  return { ...servers, dials, tunnel, socket, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

type Window = Awaited<ReturnType<typeof tunnelOn>>;

/** What answers at the server's address has another key from now on, which the window sees. */
async function impersonate({ fake, server }: Window): Promise<void> {
  fake.greeting = snapshot({
    server: { ...snapshot().server, fingerprint_sha256: "SHA256:another" },
  });
  server.connect();
  await eventually(() => expect(server.state.kind).toBe("changed"));
}

describe("connections of tunnels through a server that answers with another key", () => {
  it("S-56: are cut, and the tunnel's row says why", async () => {
    await using window = await tunnelOn();
    const { fleet, tunnel, socket, dials } = window;
    await impersonate(window);
    await eventually(() => expect(socket.destroyed).toBe(true));
    await eventually(() => expect(dials[0]?.socket.readyState).toBe(WebSocket.CLOSED));
    expect(fleet.tunnels.get(tunnel.id)).toMatchObject({
      isOpen: true,
      connections: 0,
      broke: { why: expect.stringMatching(CHANGED), connections: 1 },
    });
  });

  it("are cut, too, where they only look at what a tunnel leads to", async () => {
    await using dialled = await startDialServer(({ socket }) => socket.send(Buffer.from("hello")));
    const access = { kind: "ready", url: dialled.url, authorization: "Bearer token" } as const;
    const seen: string[] = [];
    const looks = new Looks({
      accessTo: () => async () => access,
      log: silentLog,
      look: async (port) => {
        const socket = connect(port, "127.0.0.1");
        socket.on("error", () => undefined);
        await once(socket, "data");
        seen.push("there");
        looks.cutOf("https://elsewhere.example.com", "not meant");
        looks.cutOf("https://relay.example.com", "meant");
        await eventually(() => expect(socket.destroyed).toBe(true));
        seen.push("cut");
        return undefined;
      },
    });
    const tunnel = { serverKey: "https://relay.example.com", clientId: "web", remote: REMOTE };
    expect(await looks.kindOf(tunnel)).toBeUndefined();
    expect(seen).toEqual(["there", "cut"]);
  });
});
