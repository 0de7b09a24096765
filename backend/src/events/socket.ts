import { CLOSE_CODES } from "@rport/protocol/errors";
import type { WebSocket } from "ws";
import type { EventHub } from "./hub.ts";

/** A watcher with this much unsent is too slow: it is closed and takes a new snapshot later. */
export const BACKLOG_MAX_BYTES = 8 * 1_048_576;

/**
 * Serves one event socket until it closes. What is unsent of the snapshot, which may be larger
 * than the limit by itself, does not count against the watcher until it is out.
 */
export function serveEvents(socket: WebSocket, hub: EventHub): void {
  let snapshotBytes = 0;
  let isFirst = true;
  const watcher = (message: string): void => {
    if (socket.readyState !== socket.OPEN) return;
    if (isFirst) {
      isFirst = false;
      snapshotBytes = Buffer.byteLength(message);
      socket.send(message, () => {
        snapshotBytes = 0;
      });
      return;
    }
    if (socket.bufferedAmount > BACKLOG_MAX_BYTES + snapshotBytes) {
      hub.unwatch(watcher);
      socket.close(CLOSE_CODES.resync, "too slow: connect again for a new snapshot");
      return;
    }
    socket.send(message);
  };
  socket.once("close", () => hub.unwatch(watcher));
  hub.watch(watcher);
}
