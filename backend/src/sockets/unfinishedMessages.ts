import { HeldBytes } from "@rport/protocol/wire/held";
import { Unfinished } from "@rport/protocol/wire/transport/unfinished";
import type { WebSocket } from "ws";
import type { Limits } from "../limits/limits.ts";

/**
 * What users have begun to say on their sockets, and not ended: kept in few pieces, and counted with
 * the memory that it takes. Beyond a limit the socket ends that takes most.
 */
export class UnfinishedMessages {
  readonly #held: HeldBytes;

  constructor(limits: Pick<Limits, "max" | "bite" | "watch">) {
    const max = limits.max("unfinished_bytes");
    this.#held = new HeldBytes({
      max,
      perConnection: max,
      onFull: () => limits.bite("unfinished_bytes"),
      perGroup: limits.max("unfinished_bytes_per_user"),
      onGroupFull: (user) => limits.bite("unfinished_bytes_per_user", { user }),
    });
    limits.watch("unfinished_bytes", () => this.#held.bytes);
  }

  /** Counts those of a socket of the user that was just granted, until it closes. */
  watch(socket: WebSocket, user: string): void {
    const share = this.#held.open(() => socket.terminate());
    share.join(user);
    Unfinished.watch(socket, (bytes) => share.set("message", bytes));
    socket.once("close", () => share.close());
  }
}
