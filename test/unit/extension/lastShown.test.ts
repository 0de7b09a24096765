import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { whyNotReachable } from "../../../extension/src/commands/reach.ts";
import type { ConnectionState } from "../../../extension/src/model/connectionState.ts";
import type { Node } from "../../../extension/src/model/node.ts";
import { Nodes } from "../../../extension/src/model/node.ts";
import { LOCAL_URL, parseServers } from "../../../extension/src/servers/config.ts";
import { Fleet } from "../../../extension/src/servers/fleet.ts";
import { Server } from "../../../extension/src/servers/server.ts";
import { LocalTunnels } from "../../../extension/src/tunnels/localTunnels.ts";
import { ClientsSource } from "../../../extension/src/views/clients.ts";
import { viewMessage } from "../../../extension/src/views/context.ts";
import { drawingOf } from "../../../extension/src/views/lastShown/drawing.ts";
import { LastFiles } from "../../../extension/src/views/lastShown/folder.ts";
import { LastShown } from "../../../extension/src/views/lastShown/lastShown.ts";
import { LastTree } from "../../../extension/src/views/lastShown/lastTree.ts";
import { parseRecord, ROWS_MAX } from "../../../extension/src/views/lastShown/record.ts";
import { rowOf } from "../../../extension/src/views/rows.ts";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";
import { client, offline, snapshot } from "./entities.ts";
import { NOW, RELAY, treeText } from "./fleetFixture.ts";
import { freshArrangements } from "./memento.ts";
import { silentLog } from "./serverFixture.ts";

const CONNECTING: ConnectionState = { kind: "connecting", attempt: 0 };
const WAITING: ConnectionState = { kind: "waiting", attempt: 1, delayMs: 500, reason: "gone" };
const CLIENTS = [
  client("web-1", { tags: ["prod"] }),
  client("web-2", { tags: ["prod", "canary"] }),
  offline("db"),
];

/** The clients view of a window with one server, which is in the state that a test says. */
function openWindow(storage: string, url = RELAY) {
  const clock = new FakeClock(NOW);
  let state = CONNECTING;
  const fleet: Fleet = new Fleet({
    tunnels: new LocalTunnels({
      accessTo: () => async () => ({ kind: "noToken" }),
      clock,
      log: silentLog,
    }),
    createServer: (config) =>
      Object.defineProperty(
        new Server({
          config,
          access: () => new Promise(() => undefined),
          fetch,
          clock,
          log: silentLog,
          random: () => 1,
          rememberFingerprint: () => undefined,
        }),
        "state",
        { get: () => state },
      ),
  });
  const nodes = new Nodes();
  const arrangements = freshArrangements();
  const folder = new LastFiles(storage, silentLog);
  const lastShown = new LastShown({ fleet, folder, clock });
  const last = new LastTree({ fleet, nodes, arrangements, lastShown });
  const source = new ClientsSource({ fleet, nodes, arrangements, last });
  const rows = { fleet, now: () => NOW, groups: source, last };
  lastShown.keepFrom((server) =>
    drawingOf(server, source, { rows, filter: arrangements.filterText }),
  );
  const read = new Promise<void>((resolve) => lastShown.changed.add(resolve));
  fleet.configure(parseServers([{ url }]));
  const server = fleet.get(url);
  if (server === undefined) throw new Error("no server");
  const turn = (next: ConnectionState) => {
    state = next;
    server.changed.emit({ kind: "state" });
  };
  return {
    clock,
    fleet,
    server,
    arrangements,
    source,
    rows,
    last,
    /** What the server tells when it is there. */
    tell(clients: readonly ReturnType<typeof client>[]) {
      server.mirror.apply(snapshot({ clients: [...clients] }));
      server.clients.reset(server.mirror);
      turn({ kind: "connected" });
      server.changed.emit({ kind: "reset" });
      source.affected({ kind: "server", server, change: { kind: "reset" } });
    },
    turn,
    /** Resolves when rows of last time have been read. */
    async read() {
      clock.advance(0);
      await read;
    },
    text: () => treeText(source, rows),
    ids: () => idsOf(source, source.roots()),
    [Symbol.dispose]() {
      lastShown.dispose();
      fleet.dispose();
    },
  };
}

function idsOf(source: ClientsSource, nodes: readonly Node[]): string[] {
  return nodes.flatMap((node) => [node.id, ...idsOf(source, source.children(node))]);
}

/** What there is in the folder of a storage. */
async function filesIn(storage: string): Promise<readonly string[]> {
  return readdir(join(storage, "rows")).catch(() => []);
}

/** Has a window show these clients and keep them; answers what it showed. */
async function shown(storage: string, clients = CLIENTS, url = RELAY) {
  using window = openWindow(storage, url);
  window.tell(clients);
  window.clock.advance(2_000);
  // one that is still being written has another name
  await eventually(async () =>
    expect(await filesIn(storage)).toEqual([expect.not.stringMatching(/\.[0-9a-f]{8}$/)]),
  );
  return { text: window.text(), ids: window.ids() };
}

describe("the rows of last time", () => {
  it("F-26: are there before the server answers, dim, as the same rows, and say of when they are", async () => {
    await using storage = await tempDirectory();
    const before = await shown(storage.path);
    using window = openWindow(storage.path);
    expect(window.text()).toEqual([]);
    await window.read();
    expect(window.text()).toEqual(before.text);
    expect(window.ids()).toEqual(before.ids);
    const rows = window.source.roots().map((node) => rowOf(node, window.rows));
    const [web] = window.source.children(window.source.roots()[0] as Node);
    const row = rowOf(web as Node, window.rows);
    expect(row).toMatchObject({ icon: { color: "disabledForeground" }, context: "last+stale" });
    expect([...rows, row].map(({ spoken }) => spoken)).toEqual(
      Array(3).fill(expect.stringContaining("not up to date")),
    );
    expect(window.source.parent(web as Node)).toBe(window.source.roots()[0]);
    const of = window.last.atMs.bind(window.last);
    const message = viewMessage(window.fleet, { now: NOW + 48 * 3_600_000, of });
    expect(message).toMatch(
      /^Connecting to relay.example.com… showing rows as of 1 Jan, \d\d:\d\d\.$/,
    );
    // nothing can be done with them by a key either, and the view's buttons work
    const ask = { node: web, isKey: true };
    expect(whyNotReachable("copyClientName", ask, window.fleet)).toContain("has to wait");
    expect(
      whyNotReachable("filterClients", { node: web, isKey: false }, window.fleet),
    ).toBeUndefined();

    window.tell([client("web-2")]);
    expect(window.text()).toHaveLength(1);
    expect(viewMessage(window.fleet, { now: NOW, of })).toBeUndefined();
  });

  it("are not spoken of where there were none: the view says by itself that it connects", async () => {
    await using storage = await tempDirectory();
    await shown(storage.path, []);
    using window = openWindow(storage.path);
    await window.read();
    const of = window.last.atMs.bind(window.last);
    expect(viewMessage(window.fleet, { now: NOW, of })).toBeUndefined();
  });

  it("hold no more than those rows said, of the first ones, in a file of one's own", async () => {
    await using storage = await tempDirectory();
    const many = Array.from({ length: 1_000 }, (_, n) =>
      client(`host-${n}`, {
        address: "198.51.100.7",
        hostname: `inner-${n}`,
        host_key: "SHA256:k",
      }),
    );
    const { text } = await shown(storage.path, [...many, offline("away")]);
    const [name = ""] = await filesIn(storage.path);
    const path = join(storage.path, "rows", name);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const kept = await readFile(path, "utf8");
    for (const hidden of ["198.51.100.7", "inner-", "SHA256", "fleet"]) {
      expect(kept).not.toContain(hidden);
    }
    using window = openWindow(storage.path);
    await window.read();
    expect(window.text()).toEqual([...text.slice(0, ROWS_MAX + 1), "Offline | 1"]);
  });

  it("are gone with the sign-in and with the server, from every window's folder", async () => {
    await using storage = await tempDirectory();
    await shown(storage.path);
    {
      using window = openWindow(storage.path);
      await window.read();
      window.turn({ kind: "signedOut", refusal: undefined });
      expect(window.text()).toEqual([]);
      await eventually(async () => expect(await filesIn(storage.path)).toEqual([]));
    }
    await shown(storage.path);
    using window = openWindow(storage.path);
    await window.read();
    window.fleet.configure([]);
    await eventually(async () => expect(await filesIn(storage.path)).toEqual([]));
  });

  it("stay while a server is not reached, but not where a backend of one's own does not run", async () => {
    await using remote = await tempDirectory();
    const { text } = await shown(remote.path);
    using there = openWindow(remote.path);
    await there.read();
    there.turn(WAITING);
    expect(there.text()).toEqual(text);
    await using own = await tempDirectory();
    await shown(own.path, CLIENTS, LOCAL_URL);
    using here = openWindow(own.path, LOCAL_URL);
    await here.read();
    expect(here.text()).not.toEqual([]);
    here.turn(WAITING);
    const { server } = here;
    const dirty = here.source.affected({ kind: "server", server, change: { kind: "state" } });
    expect([dirty, here.text()]).toEqual([[{ kind: "all" }], []]);
  });

  it("are shown through the filter that they were seen through, and through no other", async () => {
    await using storage = await tempDirectory();
    await shown(storage.path);
    using window = openWindow(storage.path);
    await window.read();
    window.arrangements.setFilter("web");
    expect(window.text()).toEqual([]);
  });

  it("are nothing where the file is not ours", async () => {
    await using storage = await tempDirectory();
    await shown(storage.path);
    const [name = ""] = await filesIn(storage.path);
    const path = join(storage.path, "rows", name);
    const good = await readFile(path, "utf8");
    expect(parseRecord(good, RELAY)).toBeDefined();
    for (const bad of ["", "{", "[]", good.replace(RELAY, "https://elsewhere.example.com")]) {
      expect(parseRecord(bad, RELAY)).toBeUndefined();
    }
    await writeFile(path, "x".repeat(2 << 20));
    expect(await new LastFiles(storage.path, silentLog).read(RELAY)).toBeUndefined();
  });
});
