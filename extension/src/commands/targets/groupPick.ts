import { t } from "@vscode/l10n";
import type { Node } from "../../model/node.ts";
import type { ClientTarget } from "../../servers/entities.ts";
import type { Server } from "../../servers/server.ts";
import type { SourceDeps } from "../../views/source.ts";
import type { CommandInput } from "../registry.ts";
import { EntityOf, type Groups } from "./entityOf.ts";
import { nothing, pick, rowChoice } from "./rowPick.ts";

/** What choosing a group needs. */
export interface GroupPickDeps extends SourceDeps {
  readonly groups: Groups;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Which group is asked for when no row says it. */
interface GroupQuestion {
  readonly title: string;
  /** Of which servers groups are offered. */
  readonly fits: (server: Server) => boolean;
}

/**
 * The clients of the group whose row was clicked, else of the one that is picked, as far as they are shown; undefined
 * when none is. A server whose clients are in no groups has one, which is all of them.
 */
export async function clientsOfGroup(
  { node }: CommandInput,
  { title, fits }: GroupQuestion,
  deps: GroupPickDeps,
): Promise<readonly ClientTarget[] | undefined> {
  const group = node?.kind === "group" ? node : await pickGroup({ title, fits }, deps);
  if (group === undefined) return undefined;
  const of = new EntityOf(deps.fleet, deps.groups);
  return clientRows(group, deps.groups).flatMap((row) => of.client(row) ?? []);
}

async function pickGroup(
  { title, fits }: GroupQuestion,
  deps: GroupPickDeps,
): Promise<Node | undefined> {
  const rows = deps.fleet.servers.filter(fits).flatMap(({ key: serverKey }) => {
    const server = deps.nodes.get({ kind: "server", serverKey });
    const groups = deps.groups.children(server).filter(({ kind }) => kind === "group");
    return groups.length === 0 ? [server] : groups;
  });
  if (rows.length === 0) return nothing(t("There is no group."));
  const context = { fleet: deps.fleet, now: deps.now, groups: deps.groups };
  return pick(
    rows.map((row) => rowChoice(row, { target: row }, context)),
    title,
  );
}

/** The rows of clients at or below a row, without those of their tunnels. */
function clientRows(node: Node, groups: Groups): readonly Node[] {
  if (node.kind === "client") return [node];
  return groups.children(node).flatMap((child) => clientRows(child, groups));
}
