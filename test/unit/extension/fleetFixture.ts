import type { Node } from "../../../extension/src/model/node.ts";
import { Nodes } from "../../../extension/src/model/node.ts";
import { parseServers } from "../../../extension/src/servers/config.ts";
import { Fleet } from "../../../extension/src/servers/fleet.ts";
import { Server } from "../../../extension/src/servers/server.ts";
import { LocalTunnels } from "../../../extension/src/tunnels/localTunnels.ts";
import { ClientsSource } from "../../../extension/src/views/clients.ts";
import type { RowContext } from "../../../extension/src/views/rowContext.ts";
import { rowOf } from "../../../extension/src/views/rows.ts";
import type { Dirty, TreeSource } from "../../../extension/src/views/source.ts";
import { FakeClock } from "../../support/clock.ts";
import { snapshot } from "./entities.ts";
import { freshArrangements } from "./memento.ts";
import { silentLog } from "./serverFixture.ts";

/** An hour after everything in `entities.ts` happened. */
export const NOW = Date.UTC(2030, 0, 1, 1);

/** The address of a server for tests. */
export const RELAY = "https://relay.example.com";

/** A fleet whose servers are fed by hand, and one of its trees as indented text. */
export function fleetOf(...urls: readonly string[]) {
  const clock = new FakeClock(NOW);
  const fleet: Fleet = new Fleet({
    tunnels: new LocalTunnels({
      accessTo: (serverKey) => fleet.get(serverKey)?.access,
      clock,
      log: silentLog,
    }),
    createServer: (config) =>
      fedByHand({
        config,
        access: async () => ({ kind: "noToken" }),
        fetch,
        clock,
        log: silentLog,
        random: () => 1,
        rememberFingerprint: () => undefined,
      }),
  });
  fleet.configure(parseServers(urls.map((url) => ({ url }))));
  const nodes = new Nodes();
  const rows = { fleet, now: () => NOW, warnAfterDays: () => 90 };
  const text = (source: TreeSource): string[] => treeText(source, rows);
  const fill = (url: string, parts: Parameters<typeof snapshot>[0]) => {
    const server = fleet.get(url);
    server?.mirror.apply(snapshot(parts));
    server?.clients.reset(server.mirror);
  };
  const arrangements = freshArrangements();
  return { fleet, nodes, arrangements, text, fill, rows, context: { fleet, nodes, arrangements } };
}

/** A server that takes what it is told for what a connection brought. */
function fedByHand(deps: ConstructorParameters<typeof Server>[0]): Server {
  const server = new Server(deps);
  return Object.defineProperty(server, "state", { get: () => ({ kind: "connected" }) });
}

/** A tree as indented text, a line for each row. */
export function treeText(source: TreeSource, context: RowContext): string[] {
  const rows = source instanceof ClientsSource ? { ...context, groups: source } : context;
  const lines = (list: readonly Node[], indent: string): string[] =>
    list.flatMap((node) => {
      const { label, description } = rowOf(node, rows);
      const line = `${indent}${label} | ${description}`;
      return [line, ...lines(source.children(node), `${indent}  `)];
    });
  return lines(source.roots(), "");
}

/** What is stale, as its kind and the id of its row on `RELAY`. */
export function nameOf(dirty: Dirty): string {
  if (dirty.kind === "all" || dirty.kind === "roots") return dirty.kind;
  return `${dirty.kind} ${dirty.node.id.slice(RELAY.length + 1)}`;
}
