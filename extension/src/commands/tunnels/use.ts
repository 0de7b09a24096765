import { t } from "@vscode/l10n";
import { commands, env, Uri } from "vscode";
import { localAddress, schemeOf, serverTunnelAddress } from "../../model/rows/tunnelRow.ts";
import { commandLine } from "../../model/tunnels/commandLine.ts";
import { webScheme } from "../../model/tunnels/greeting.ts";
import type { TunnelTarget } from "../../servers/entities.ts";
import { hostOf } from "../../views/rows.ts";
import { copyLines } from "../clients.ts";
import type { Handlers } from "../registry.ts";
import { NOUNS } from "../targets/nouns.ts";
import type { Targets } from "../targets/targets.ts";

/** Commands that use what a tunnel leads to. */
export type UseHandlers = Pick<
  Handlers,
  "copyTunnelAddress" | "copyTunnelCommand" | "openTunnelInBrowser" | "openTunnelInSimpleBrowser"
>;

/** The editor's own browser: not every editor has it. */
const SIMPLE_BROWSER = "simpleBrowser.show";

/** Using tunnels: in a terminal, or in a browser. */
export function useHandlers({ targets }: { readonly targets: Targets }): UseHandlers {
  const pickWeb = async (input: Parameters<UseHandlers["openTunnelInBrowser"]>[0]) => {
    const fits = (target: TunnelTarget) => isOpen(target) && schemeFor(target) !== undefined;
    const asked = { title: t("Open which tunnel?"), noun: NOUNS.webTunnel, fits };
    const target = await targets.tunnel(input, asked);
    return target && Uri.parse(`${schemeFor(target)}://${addressOf(target)}/`, true);
  };
  return {
    async copyTunnelAddress(input) {
      const asked = { title: t("Copy the address of which tunnel?"), noun: NOUNS.tunnel };
      const chosen = await targets.tunnels(input, asked);
      if (chosen !== undefined) await copyLines(chosen.map(addressOf));
    },
    async copyTunnelCommand(input) {
      const fits = (target: TunnelTarget) => lineFor(target) !== undefined;
      const asked = {
        title: t("Copy the command line of which tunnel?"),
        noun: NOUNS.tunnel,
        fits,
      };
      const target = await targets.tunnel(input, asked);
      const line = target && lineFor(target);
      if (line !== undefined) await copyLines([line]);
    },
    async openTunnelInBrowser(input) {
      const uri = await pickWeb(input);
      // where the window is in a browser or of another computer, the editor forwards the port by itself
      if (uri !== undefined) await env.openExternal(uri);
    },
    async openTunnelInSimpleBrowser(input) {
      const uri = await pickWeb(input);
      if (uri === undefined) return;
      const hasOwn = (await commands.getCommands(true)).includes(SIMPLE_BROWSER);
      if (!hasOwn) await env.openExternal(uri);
      else await commands.executeCommand(SIMPLE_BROWSER, String(await env.asExternalUri(uri)));
    },
  };
}

/** Whether a tunnel answers; one of before does not. */
export function isOpen(target: TunnelTarget): boolean {
  return target.kind === "server" || target.tunnel.isOpen;
}

function addressOf(target: TunnelTarget): string {
  return target.kind === "local"
    ? localAddress(target.tunnel)
    : serverTunnelAddress(target.tunnel, hostOf(target.server));
}

/** How a browser speaks to what a tunnel leads to; undefined when it is no web service. */
function schemeFor(target: TunnelTarget): "http" | "https" | undefined {
  return target.kind === "local"
    ? webScheme(target.tunnel.remote.port, target.tunnel.kind)
    : schemeOf(target.tunnel);
}

/** Tunnels on the server are for others, too: their addresses are not of this computer. */
function lineFor(target: TunnelTarget): string | undefined {
  if (target.kind === "server" || !target.tunnel.isOpen) return undefined;
  const { localPort, localHost, remote, clientId, kind } = target.tunnel;
  return commandLine({ localPort, localHost, remotePort: remote.port, clientId, kind });
}
