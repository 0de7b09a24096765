import { t } from "@vscode/l10n";
import { env } from "vscode";
import { clientLink, tunnelLink } from "../../links/linkText.ts";
import type { TunnelTarget } from "../../servers/entities.ts";
import { copyLines } from "../clients.ts";
import type { Handlers } from "../registry.ts";
import { NOUNS } from "../targets/nouns.ts";
import type { Targets } from "../targets/targets.ts";

/** Copying links that lead to what is selected, in any editor that has the same server. */
export function linkHandlers(
  targets: Targets,
): Pick<Handlers, "copyClientLink" | "copyTunnelLink"> {
  return {
    async copyClientLink(input) {
      const asked = { title: t("Copy a link to which client?"), noun: NOUNS.client };
      const chosen = (await targets.clients(input, asked)) ?? [];
      const links = chosen.map(({ server, client }) =>
        clientLink(env.uriScheme, server, client.id),
      );
      if (links.length > 0) await copyLines(links);
    },
    async copyTunnelLink(input) {
      const asked = { title: t("Copy a link to which tunnel?"), noun: NOUNS.tunnel };
      const chosen = (await targets.tunnels(input, asked)) ?? [];
      const links = chosen.map((target) =>
        tunnelLink(env.uriScheme, target.server, placeOf(target)),
      );
      if (links.length > 0) await copyLines(links);
    },
  };
}

function placeOf(target: TunnelTarget) {
  if (target.kind === "local") return target.tunnel;
  const { client_id: clientId, rhost: host, rport } = target.tunnel;
  return { clientId, remote: { host, port: Number(rport) } };
}
