import { once } from "node:events";
import { connect, createServer } from "node:net";
import { describe, expect, it, vi } from "vitest";
import { recognisedOf } from "../../../../extension/src/servers/recognised.ts";
import { FramedStream } from "../../../../extension/src/ssh/bridge/framedStream.ts";
import { BRIDGE_VERSION, failureOf } from "../../../../extension/src/ssh/bridge/opening.ts";
import { Door } from "../../../../extension/src/ssh/door.ts";
import { shutWith } from "../../../../extension/src/ssh/shutWith.ts";
import { systemClock } from "../../../../extension/src/support/clock.ts";
import { eventually } from "../../../support/eventually.ts";
import { client, snapshot } from "../entities.ts";
import { startDialServer } from "../fakeDialServer.ts";
import { fleetOn } from "../people/fleetOn.ts";
import { silentLog } from "../serverFixture.ts";
import { findable } from "./findable.ts";

/** A window with a door to the host web of a server, and what programs that come to it are told. */
async function doorOn() {
  await using stack = new AsyncDisposableStack();
  const dials = vi.fn();
  const dialled = stack.use(await startDialServer(dials));
  const servers = stack.use(await fleetOn({ clients: [client("web")] }));
  const { fleet, server } = servers;
  const host = { serverKey: server.key, serverName: "", id: "web", name: "web", hostname: "" };
  const door = new Door({
    ready: async () => undefined,
    hosts: findable([host]),
    told: { aliasesOf: async () => [], isLeft: () => false, hurry: () => undefined },
    accessTo: (key) => {
      const source = recognisedOf(fleet, key, servers.clock);
      return source && (async () => elsewhere(await source(), dialled.url));
    },
    clock: systemClock,
    log: silentLog,
  });
  stack.defer(() => door.dispose());
  fleet.changed.add((change) => shutWith(change, fleet, door));
  const listener = createServer({ pauseOnConnect: true }, (socket) =>
    door.serve(socket, BRIDGE_VERSION),
  ).listen(0, "127.0.0.1");
  await once(listener, "listening");
  stack.defer(() => void listener.close());
  const { port } = listener.address() as { port: number };
  /** A program that wants the host's sshd, and what it is told. */
  const program = () => {
    const said: string[] = [];
    const socket = connect({ port, host: "127.0.0.1" });
    const stream = new FramedStream(socket, ({ kind, text }) =>
      said.push(kind === "ready" ? kind : failureOf(text).message),
    );
    const closed = new Promise((resolve) => stream.once("close", resolve));
    stream.on("error", () => undefined);
    stream.resume();
    stream.say("opening", JSON.stringify({ client: "web", host: "127.0.0.1", port: 22 }));
    return { said, closed };
  };
  const owned = stack.move();
  return { ...servers, dials, program, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** The same at the server that takes connections. */
function elsewhere<A extends { readonly kind: string }>(access: A, url: string): A {
  return access.kind === "ready" ? { ...access, url } : access;
}

type Window = Awaited<ReturnType<typeof doorOn>>;

/** What answers at the server's address has another key from now on, which the window sees. */
async function impersonate({ fake, server }: Window): Promise<void> {
  const other = { ...snapshot().server, fingerprint_sha256: "SHA256:another" };
  fake.greeting = snapshot({ server: other });
  server.connect();
  await eventually(() => expect(server.state.kind).toBe("changed"));
}

describe("connections of programs to a server's hosts", () => {
  it.each<readonly [string, (window: Window) => unknown, RegExp]>([
    ["the sign-in ends", ({ server }) => server.signOut(), /^You are not signed in\.$/],
    ["the server is removed", ({ fleet }) => fleet.configure([]), /not configured any more/],
    ["another key answers", impersonate, /another key than before/],
  ])("S-56: are cut when %s, and told why", async (_, happen, why) => {
    await using window = await doorOn();
    const { said, closed } = window.program();
    await eventually(() => expect(said).toEqual(["ready"]));
    await happen(window);
    await closed;
    expect(said.at(-1)).toMatch(why);
  });

  it("are not begun where another key answers", async () => {
    await using window = await doorOn();
    await impersonate(window);
    const { said, closed } = window.program();
    await closed;
    expect(said).toEqual([expect.stringMatching(/another key than before/)]);
    expect(window.dials).not.toHaveBeenCalled();
  });
});
