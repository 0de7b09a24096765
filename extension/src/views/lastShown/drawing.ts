import type { Node } from "../../model/node.ts";
import type { Server } from "../../servers/server.ts";
import type { ClientsSource } from "../clients.ts";
import type { RowContext } from "../rowContext.ts";
import { rowOf } from "../rows.ts";
import { type LastRecord, type LastRow, recordOf } from "./record.ts";

/** What is to be kept of a server: the first rows of its clients, as they are shown now. */
export function drawingOf(
  server: Server,
  source: ClientsSource,
  about: { readonly rows: RowContext; readonly filter: string },
): LastRecord {
  const { rows, filter } = about;
  const groups = source.groupsOf(server).map((listed) => ({
    ...listed.group,
    size: listed.size,
    rows: (most: number) =>
      listed
        .rows()
        .slice(0, most)
        .flatMap((node) => lastRow(node, rows)),
  }));
  return recordOf({ serverKey: server.key, atMs: rows.now(), filter, groups });
}

function lastRow(node: Node, rows: RowContext): readonly LastRow[] {
  if (node.kind !== "client") return [];
  const { label, description, spoken, icon } = rowOf(node, rows);
  const isAgain = node.tag !== undefined;
  return [{ clientId: node.clientId, isAgain, label, description, spoken, icon: icon?.name ?? "" }];
}
