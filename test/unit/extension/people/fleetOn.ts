import { API_PREFIX } from "@rport/protocol/http";
import type { Me } from "@rport/protocol/people/user";
import { Nodes } from "../../../../extension/src/model/node.ts";
import { parseServers } from "../../../../extension/src/servers/config.ts";
import { Fleet } from "../../../../extension/src/servers/fleet.ts";
import { Server } from "../../../../extension/src/servers/server.ts";
import { LocalTunnels } from "../../../../extension/src/tunnels/localTunnels.ts";
import type { TreeSource } from "../../../../extension/src/views/source.ts";
import { FakeClock } from "../../../support/clock.ts";
import { eventually } from "../../../support/eventually.ts";
import { snapshot } from "../entities.ts";
import { FakeServer } from "../fakeServer.ts";
import { NOW, treeText } from "../fleetFixture.ts";
import { freshArrangements } from "../memento.ts";
import { silentLog } from "../serverFixture.ts";

const AT = "2030-01-01T00:00:00Z";

/** What one user has, as the server of `fleetOn` tells it. */
const ACCESS: Readonly<Record<string, unknown>> = {
  tokens: [
    {
      prefix: "abcdefgh",
      name: "laptop",
      scope: "read+write",
      created_at: AT,
      expires_at: null,
      last_used_at: null,
      last_used_from: "",
      current: false,
    },
  ],
  sessions: [
    {
      session_id: 1,
      username: "root",
      expires_at: AT,
      last_access_at: AT,
      user_agent: "curl",
      ip_address: "192.0.2.1",
    },
  ],
};

type Parts = Parameters<typeof snapshot>[0] & {
  /** Undefined: the server has no users. */
  readonly me?: Me | undefined;
  readonly fake?: FakeServer;
  /** Where connections of tunnels go; absent: to the fake server. */
  readonly dialUrl?: string;
};

/** A fleet of one server, connected to a fake one that says who one is. */
export async function fleetOn({ me, fake: given, dialUrl, ...parts }: Parts) {
  await using stack = new AsyncDisposableStack();
  const fake = given ?? stack.use(await FakeServer.start());
  const clock = new FakeClock(NOW);
  let mine = me;
  if (given === undefined) {
    fake.greeting = snapshot({ at: new Date(NOW).toISOString(), ...parts });
    fake.reply = ({ url }) => {
      const path = url.slice(API_PREFIX.length);
      if (path === "/me" && mine !== undefined) return { status: 200, body: { data: mine } };
      const list = ACCESS[path.split("/").at(-1) ?? ""];
      return list === undefined ? { status: 404 } : { status: 200, body: { data: list } };
    };
  }
  const access = { kind: "ready", url: fake.url, authorization: "Bearer good-token" } as const;
  const fleet = new Fleet({
    tunnels: new LocalTunnels({
      accessTo: () => async () => ({ ...access, url: dialUrl ?? fake.url }),
      clock,
      log: silentLog,
    }),
    createServer: (config) =>
      new Server({
        config,
        access: async () => access,
        fetch,
        clock,
        log: silentLog,
        random: () => 1,
        rememberFingerprint: () => undefined,
      }),
  });
  stack.defer(() => fleet.dispose());
  fleet.configure(parseServers([{ url: fake.url }]));
  const [server] = fleet.servers;
  if (server === undefined) throw new Error("no server");
  await eventually(() => {
    if (!["connected", "signedOut"].includes(server.state.kind)) throw new Error(server.state.kind);
  });
  const nodes = new Nodes();
  const arrangements = freshArrangements();
  const rows = { fleet, now: () => NOW };
  const owned = stack.move();
  return {
    fake,
    clock,
    fleet,
    server,
    nodes,
    arrangements,
    rows,
    /** A tree as indented text. */
    text: (source: TreeSource) => treeText(source, rows),
    setMe(next: Me) {
      mine = next;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
