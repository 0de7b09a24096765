import { t } from "@vscode/l10n";
import { commands, env, Uri, workspace } from "vscode";
import { SECTION, SETTINGS } from "../../manifest.ts";
import { localAddress, schemeOf, serverTunnelAddress } from "../../model/rows/tunnelRow.ts";
import { commandLine } from "../../model/tunnels/commandLine.ts";
import { webScheme } from "../../model/tunnels/greeting.ts";
import { LOCAL_HOST } from "../../model/tunnels/localHost.ts";
import type { TunnelTarget } from "../../servers/entities.ts";
import { handleOf } from "../../ssh/hosts.ts";
import type { SshSettings } from "../../ssh/sshSettings.ts";
import {
  answersOnIpv6,
  findsNames,
  type PageDeps,
  pageAt,
  pageUrl,
} from "../../tunnels/browserPage.ts";
import type { LocalTunnel } from "../../tunnels/localTunnel.ts";
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

/** What using tunnels needs. */
export interface UseDeps {
  readonly targets: Targets;
  readonly sshSettings: Pick<SshSettings, "userOf">;
}

/** Using tunnels: in a terminal, or in a browser. */
export function useHandlers({ targets, sshSettings }: UseDeps): UseHandlers {
  const pickWeb = async (input: Parameters<UseHandlers["openTunnelInBrowser"]>[0]) => {
    const fits = (target: TunnelTarget) => isOpen(target) && schemeFor(target) !== undefined;
    const asked = { title: t("Open which tunnel?"), noun: NOUNS.webTunnel, fits };
    return targets.tunnel(input, asked);
  };
  return {
    async copyTunnelAddress(input) {
      const asked = { title: t("Copy the address of which tunnel?"), noun: NOUNS.tunnel };
      const chosen = await targets.tunnels(input, asked);
      if (chosen !== undefined) await copyLines(chosen.map(addressOf));
    },
    async copyTunnelCommand(input) {
      const fits = (target: TunnelTarget) => lineFor(target, sshSettings) !== undefined;
      const asked = {
        title: t("Copy the command line of which tunnel?"),
        noun: NOUNS.tunnel,
        fits,
      };
      const target = await targets.tunnel(input, asked);
      const line = target && lineFor(target, sshSettings);
      if (line !== undefined) await copyLines([line]);
    },
    async openTunnelInBrowser(input) {
      const target = await pickWeb(input);
      if (target !== undefined) await openOutside(target);
    },
    async openTunnelInSimpleBrowser(input) {
      const target = await pickWeb(input);
      if (target === undefined) return;
      const hasOwn = (await commands.getCommands(true)).includes(SIMPLE_BROWSER);
      if (!hasOwn) return openOutside(target);
      // The editor is a Chromium, which finds every name of this computer by itself.
      const page = await pageOf(target, async () => true);
      await commands.executeCommand(SIMPLE_BROWSER, await forwarded(page));
    },
  };
}

/** What a browser that is none of the editor's finds. */
const OUTSIDE = {
  finds: (name: string) => findsNames(process.platform, name),
  isTaken: answersOnIpv6,
} as const;

/** Where the window is in a browser or of another computer, the editor forwards the port by itself. */
async function openOutside(target: TunnelTarget): Promise<void> {
  const page = await pageOf(target, OUTSIDE.finds);
  await env.openExternal(Uri.parse(page, true));
}

async function pageOf(target: TunnelTarget, finds: PageDeps["finds"]): Promise<string> {
  const url = `${schemeFor(target)}://${addressOf(target)}/`;
  if (target.kind === "server") return url;
  return pageUrl(url, target.tunnel, { wantsNames, forwarded, finds, isTaken: answersOnIpv6 });
}

/** A workspace's settings are never looked at. */
function wantsNames(): boolean {
  const setting = workspace.getConfiguration(SECTION).inspect(SETTINGS.browserNames);
  return setting?.globalValue !== false;
}

async function forwarded(url: string): Promise<string> {
  return String(await env.asExternalUri(Uri.parse(url, true)));
}

/** Opens a page behind a tunnel of this computer in a browser; `rest` is path, query and fragment, or empty. */
export async function openPage(
  tunnel: LocalTunnel,
  { scheme, rest }: { readonly scheme: "http" | "https"; readonly rest: string },
): Promise<void> {
  const root = `${scheme}://${localAddress(tunnel)}/`;
  const own = await pageUrl(root, tunnel, { ...OUTSIDE, wantsNames, forwarded });
  // where the editor forwards no port it opens a text as it is, and writes a Uri in another way
  await commands.executeCommand("vscode.open", pageAt(own, rest));
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
function lineFor(target: TunnelTarget, settings: Pick<SshSettings, "userOf">): string | undefined {
  if (target.kind === "server" || !target.tunnel.isOpen) return undefined;
  const { serverKey, localPort, localHost, remote, clientId, kind } = target.tunnel;
  const isClients = remote.host === LOCAL_HOST;
  const user = isClients ? settings.userOf(handleOf({ serverKey, id: clientId })) : undefined;
  return commandLine({ localPort, localHost, remotePort: remote.port, clientId, kind, user });
}
