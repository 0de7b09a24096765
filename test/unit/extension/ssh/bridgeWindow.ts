import { PassThrough } from "node:stream";
import type { AccessSource } from "../../../../extension/src/api/access.ts";
import { runBridge } from "../../../../extension/src/ssh/bridge/program.ts";
import { Door, type DoorDeps } from "../../../../extension/src/ssh/door.ts";
import type { Host } from "../../../../extension/src/ssh/hosts.ts";
import { systemClock } from "../../../../extension/src/support/clock.ts";
import { meetWindows } from "../../../../extension/src/tunnels/sharing/meetWindows.ts";
import { OwnSeat } from "../../../../extension/src/tunnels/sharing/ownSeat.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";
import { type Dial, startDialServer } from "../fakeDialServer.ts";
import { silentLog } from "../serverFixture.ts";
import { findable } from "./findable.ts";

/** Shown to the server by the window alone. */
export const TOKEN = "a-token-that-nobody-else-sees";
const SERVER = { serverKey: "https://relay.example.com", serverName: "Relay" };
/** Those that a window knows, two of them by one name. */
export const HOSTS: readonly Host[] = [
  { ...SERVER, id: "f00d", name: "web-01", hostname: "" },
  { ...SERVER, id: "a1", name: "twin", hostname: "" },
  { ...SERVER, id: "b2", name: "twin", hostname: "" },
];

/** What `ssh` is told in a window that has told it of nothing yet. */
const UNTOLD: DoorDeps["told"] = {
  aliasesOf: async () => [],
  isLeft: () => false,
  hurry: () => undefined,
};

/** A window that carries connections of programs to a server without agents. */
export async function openWindow(
  onDial: (dial: Dial) => void,
  access?: AccessSource,
  { hosts = findable(HOSTS), told = UNTOLD }: Partial<Pick<DoorDeps, "hosts" | "told">> = {},
) {
  const stack = new AsyncDisposableStack();
  const { path: storage } = stack.use(await tempDirectory());
  const server = stack.use(await startDialServer(onDial));
  const ready: AccessSource = async () => ({
    kind: "ready",
    url: server.url,
    authorization: `Bearer ${TOKEN}`,
  });
  const door = stack.adopt(
    new Door({
      ready: async () => undefined,
      hosts,
      told,
      accessTo: () => access ?? ready,
      clock: systemClock,
      log: silentLog,
    }),
    (each) => each.dispose(),
  );
  let asked = 0;
  const sit = async () => {
    const seat = await meetWindows({ storage, clock: systemClock, log: silentLog });
    if (!(seat instanceof OwnSeat)) throw new Error("somebody else has the seat");
    seat.receiveWith({
      guest: (socket) => socket.destroy(),
      bridge: (socket, version) => {
        asked += 1;
        door.serve(socket, version);
      },
    });
    return seat;
  };
  const seat = await sit();
  stack.defer(() => seat.close());
  return {
    storage,
    server,
    door,
    seat,
    /** How many programs have come to it. */
    get asked() {
      return asked;
    },
    /** Takes the seat anew, as after a reload; until this is disposed. */
    async reopen(): Promise<Disposable> {
      const next = await sit();
      return { [Symbol.dispose]: () => next.close() };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** The bridge, with pipes for its input and output. */
export function bridge(
  storage: string | readonly string[],
  args: readonly string[],
  clock = systemClock,
) {
  const input = new PassThrough();
  const output = new PassThrough();
  const said: string[] = [];
  const say = (sentence: string) => void said.push(sentence);
  const code = runBridge({
    args,
    storages: async () => [storage].flat(),
    command: "sh /a/launcher.sh",
    clock,
    input,
    output,
    say,
  });
  return { input, output, said, code };
}

/** A host that sends back what it gets. */
export function echo({ socket }: Dial): void {
  socket.on("message", (data) => socket.send(data));
}
