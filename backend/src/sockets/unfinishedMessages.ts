import { HeldBytes } from "@rport/protocol/wire/held";
import { Unfinished } from "@rport/protocol/wire/transport/unfinished";
import type { WebSocket } from "ws";
import type { Limits } from "../limits/limits.ts";
import type { Sharer } from "../limits/sharer.ts";
import { RecentMap } from "../platform/recentMap.ts";

const USERS_REMEMBERED = 10_000;

/**
 * What users have begun to say on their sockets, and not ended: kept in few pieces, and counted with
 * the memory that it takes. Beyond a limit the socket ends that takes most.
 */
export class UnfinishedMessages {
  readonly #held: HeldBytes;
  /** Whose the shares are, for the log. */
  readonly #users = new RecentMap<string, Sharer>(USERS_REMEMBERED);

  constructor(limits: Pick<Limits, "max" | "bite" | "watch">) {
    const max = limits.max("unfinished_bytes");
    this.#held = new HeldBytes({
      max,
      perConnection: max,
      onFull: () => limits.bite("unfinished_bytes"),
      perGroup: limits.max("unfinished_bytes_per_user"),
      onGroupFull: (id) => {
        limits.bite("unfinished_bytes_per_user", { user: this.#users.get(id)?.name });
      },
    });
    limits.watch("unfinished_bytes", () => this.#held.bytes);
  }

  /** Counts those of a socket of the user that was just granted, until it closes. */
  watch(socket: WebSocket, user: Sharer): void {
    const share = this.#held.open(() => socket.terminate());
    this.#users.set(user.accountId, user);
    share.join(user.accountId);
    Unfinished.watch(socket, (bytes) => share.set("message", bytes));
    socket.once("close", () => share.close());
  }
}
