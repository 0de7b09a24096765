import type { ClientNode, Node } from "../node.ts";

/** Clients that were dragged onto the group of a tag. */
export interface TagDropped {
  readonly serverKey: string;
  readonly clientIds: readonly string[];
  readonly tag: string;
}

/** The clients of the group's own server that get its tag; undefined where nothing can be dropped. */
export function droppedOn(
  target: Node | undefined,
  clients: readonly Pick<ClientNode, "serverKey" | "clientId">[],
): TagDropped | undefined {
  if (target?.kind !== "group" || target.by !== "tag" || target.value === "") return undefined;
  const { serverKey, value: tag } = target;
  const own = clients.filter((client) => client.serverKey === serverKey);
  if (own.length === 0) return undefined;
  return { serverKey, clientIds: [...new Set(own.map(({ clientId }) => clientId))], tag };
}
