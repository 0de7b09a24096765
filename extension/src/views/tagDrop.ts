import { type DataTransfer, DataTransferItem, type TreeDragAndDropController } from "vscode";
import type { ClientNode, Node } from "../model/node.ts";
import { droppedOn, type TagDropped } from "../model/shown/tagDropped.ts";

/** What dragged clients are called; the editor has the view's id in small letters in it. */
const CLIENTS = "application/vnd.code.tree.rport.clients";

/** Of views whose rows stay where they are. */
export const NO_DROP: TreeDragAndDropController<Node> = { dragMimeTypes: [], dropMimeTypes: [] };

/** Lets clients be dragged onto the group of a tag; `drop` is what happens then. */
export function tagDrop(drop: (dropped: TagDropped) => void): TreeDragAndDropController<Node> {
  return {
    dragMimeTypes: [],
    dropMimeTypes: [CLIENTS],
    handleDrag(nodes: readonly Node[], transfer: DataTransfer) {
      const clients = nodes.filter((node) => node.kind === "client");
      if (clients.length > 0) transfer.set(CLIENTS, new DataTransferItem(clients));
    },
    handleDrop(target: Node | undefined, transfer: DataTransfer) {
      const dragged: unknown = transfer.get(CLIENTS)?.value;
      const clients = Array.isArray(dragged) ? (dragged as readonly ClientNode[]) : [];
      const dropped = droppedOn(target, clients);
      if (dropped !== undefined) drop(dropped);
    },
  };
}
