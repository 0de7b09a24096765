import { RportError } from "@rport/protocol/errors";
import { t } from "@vscode/l10n";
import { window } from "vscode";
import { NAMES_MAX } from "../../model/blast.ts";
import { localAddress } from "../../model/rows/tunnelRow.ts";
import type { TunnelTarget } from "../../servers/entities.ts";
import type { Server } from "../../servers/server.ts";
import { describeError } from "../../support/describeError.ts";
import { plural } from "../../support/plural.ts";
import { nameSome } from "../../support/text.ts";
import type { LocalTunnel, Tunnels } from "../../tunnels/localTunnel.ts";
import type { Handlers } from "../registry.ts";
import { NOUNS } from "../targets/nouns.ts";
import { nothing } from "../targets/rowPick.ts";
import type { TunnelCommandsDeps } from "./tunnels.ts";

/** Commands on tunnels of before. */
export type ReopenHandlers = Pick<Handlers, "reopenTunnel" | "reopenAllTunnels" | "forgetTunnel">;

/** Opening tunnels of before again, and forgetting them. */
export function reopenHandlers({ targets, fleet, reveal }: TunnelCommandsDeps): ReopenHandlers {
  const { tunnels } = fleet;
  const noun = NOUNS.closedTunnel;
  const fits = (target: TunnelTarget) => closedOne(target) !== undefined;
  return {
    async reopenTunnel(input) {
      const asked = { title: t("Open which tunnel again?"), noun, fits };
      const chosen = ((await targets.tunnels(input, asked)) ?? []).flatMap(
        (target) => closedOne(target) ?? [],
      );
      const [only, ...others] = chosen;
      if (only === undefined) return;
      if (others.length > 0) return reopenAll(chosen, tunnels);
      const tunnel = await reopenOne(only, tunnels);
      if (tunnel === undefined) return;
      window.setStatusBarMessage(t("Tunnel open: {0}", localAddress(tunnel)), 5_000);
      await reveal(tunnel);
    },
    async reopenAllTunnels() {
      const shown = new Set(fleet.servers.map(({ key }: Server) => key));
      const closed = tunnels.all.filter((each) => !each.isOpen && shown.has(each.serverKey));
      if (closed.length === 0) nothing(t("All tunnels are open."));
      else await reopenAll(closed, tunnels);
    },
    async forgetTunnel(input) {
      const asked = { title: t("Forget which tunnel?"), noun, fits };
      for (const target of (await targets.tunnels(input, asked)) ?? []) {
        const tunnel = closedOne(target);
        if (tunnel !== undefined) await tunnels.forget(tunnel.id);
      }
    },
  };
}

function closedOne(target: TunnelTarget): LocalTunnel | undefined {
  return target.kind === "local" && !target.tunnel.isOpen ? target.tunnel : undefined;
}

/** On the port that it had; where somebody else has that, the person decides. */
async function reopenOne({ id }: LocalTunnel, tunnels: Tunnels): Promise<LocalTunnel | undefined> {
  try {
    return await tunnels.reopen(id);
  } catch (error) {
    const isTaken = error instanceof RportError && error.code === "ERR_CODE_LOCAL_PORT_IN_USE";
    if (!isTaken) throw error;
    const another = t("Use Another Port");
    const chosen = await window.showWarningMessage(describeError(error), another);
    return chosen === another ? tunnels.reopen(id, "anyPort") : undefined;
  }
}

/** One after the other; those that cannot be opened say why in their rows, too. */
async function reopenAll(closed: readonly LocalTunnel[], tunnels: Tunnels): Promise<void> {
  const failed: string[] = [];
  for (const tunnel of closed) {
    await tunnels.reopen(tunnel.id).catch((error: unknown) => {
      failed.push(`${localAddress(tunnel)} (${describeError(error)})`);
    });
  }
  if (failed.length === 0) return;
  const said = [failed.length, closed.length, nameSome(failed, NAMES_MAX)];
  void window.showWarningMessage(
    plural(
      failed.length,
      t("{0} tunnel of {1} could not be opened again: {2}", ...said),
      t("{0} tunnels of {1} could not be opened again: {2}", ...said),
    ),
  );
}
