import type { JoinTarget } from "../servers/entities.ts";
import type { Handlers } from "./registry.ts";
import type { Targets } from "./targets.ts";

/** Letting those in that wait, or turning them away: one click, no question. */
export function joinHandlers(targets: Targets): Pick<Handlers, "approveJoin" | "denyJoin"> {
  return {
    async approveJoin(input) {
      for (const target of await targets.joins(input, "Let which client in?")) {
        await decideJoin(target, "approveJoin");
      }
    },
    async denyJoin(input) {
      for (const target of await targets.joins(input, "Turn which client away?")) {
        await decideJoin(target, "denyJoin");
      }
    },
  };
}

/** Decides about a client that waits; fails when it does not wait any more. */
export async function decideJoin(
  { server, join }: JoinTarget,
  decision: "approveJoin" | "denyJoin",
): Promise<void> {
  await server.api.call(decision, { params: { joinId: join.id } });
}
