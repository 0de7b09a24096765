import { CLOSE_CODES } from "@rport/protocol/errors";
import type { WebSocket } from "ws";
import type { EventHub } from "./hub.ts";
import type { Sight } from "./sight.ts";
import type { Watcher } from "./watcher.ts";

/** With this much unsent, a socket takes nothing more; the rest waits where it is shared by all. */
const UNSENT_MAX_BYTES = 524_288;

/** Serves one event socket until it closes, as fast as its reader reads; see `EventHub.watch`. */
export function serveEvents(socket: WebSocket, hub: EventHub, sight: Sight): void {
  const hasRoom = (): boolean => socket.bufferedAmount < UNSENT_MAX_BYTES;
  const watcher: Watcher = {
    get hasRoom() {
      return socket.readyState === socket.OPEN && hasRoom();
    },
    take: (message) =>
      socket.send(message, { binary: false }, () => {
        if (hasRoom()) hub.resume(watcher);
      }),
    lost: () => socket.close(CLOSE_CODES.resync, "too slow: connect again for a new snapshot"),
  };
  socket.once("close", () => hub.unwatch(watcher));
  hub.watch(watcher, sight);
}
