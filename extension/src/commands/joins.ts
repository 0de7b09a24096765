import { t } from "@vscode/l10n";
import { doubtAdvice, doubtKeys, doubtSentence } from "../model/joinDoubt.ts";
import { joinName } from "../model/rows/joinRow.ts";
import type { JoinTarget } from "../servers/entities.ts";
import { inertLine, plainText } from "../support/text.ts";
import { confirm } from "./confirm.ts";
import type { Handlers } from "./registry.ts";
import type { Targets } from "./targets/targets.ts";

/**
 * Letting those in that wait, or turning them away: one click, and a question only before one gets
 * the record of a client that it may not be.
 */
export function joinHandlers(targets: Targets): Pick<Handlers, "approveJoin" | "denyJoin"> {
  return {
    async approveJoin(input) {
      for (const target of (await targets.joins(input, t("Let which client in?"))) ?? []) {
        await decideJoin(target, "approveJoin");
      }
    },
    async denyJoin(input) {
      for (const target of (await targets.joins(input, t("Turn which client away?"))) ?? []) {
        await decideJoin(target, "denyJoin");
      }
    },
  };
}

/**
 * Decides about a client that waits, unless somebody thinks better of it; fails when it does not wait
 * any more.
 */
export async function decideJoin(
  { server, join }: JoinTarget,
  decision: "approveJoin" | "denyJoin",
): Promise<void> {
  if (decision === "approveJoin" && !(await isMeant({ server, join }))) return;
  await server.api.call(decision, { params: { joinId: join.id } });
}

async function isMeant({ join }: JoinTarget): Promise<boolean> {
  if (join.reason === "new") return true;
  const answer = await confirm({
    question: t(
      "Let {0} in as the client {1}?",
      plainText(joinName(join)),
      plainText(join.client_id),
    ),
    lines: [doubtSentence(join), ...doubtAdvice(join), ...doubtKeys(join)].map(inertLine),
    button: t("Approve"),
  });
  return answer === "act";
}
