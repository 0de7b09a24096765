import { t } from "@vscode/l10n";
import {
  commands,
  type Disposable,
  env,
  type TerminalLink,
  type TerminalLinkContext,
  window,
} from "vscode";
import { COMMANDS } from "../../manifest.ts";
import type { Nodes } from "../../model/node.ts";
import { type FileLink, hostLinks, type PageLink } from "../../model/terminals/hostLinks.ts";
import type { ClientTarget } from "../../servers/entities.ts";
import { isPlainLine, plainText } from "../../support/text.ts";
import type { HostTerminals, Place } from "../../terminals/hostTerminals.ts";
import { openOnes } from "../../tunnels/localTunnel.ts";
import { whyNotAllowed } from "../people/commandRights.ts";
import { whyNotReachable } from "../reach.ts";
import { type FailureDeps, tellFailure } from "../registry.ts";
import { type OpeningDeps, openTunnelTo } from "../tunnels/tunnels.ts";
import { openPage } from "../tunnels/use.ts";

/** Names by which one host is reached in the same way. */
const SAME_HOST: readonly string[] = ["127.0.0.1", "localhost"];

/** What links in terminals of hosts need. */
export interface TerminalLinksDeps extends OpeningDeps, Pick<FailureDeps, "log"> {
  readonly nodes: Nodes;
  readonly terminals: Pick<HostTerminals, "placeOf">;
}

/** Whose terminal it is. */
type Host = Pick<Place, "serverKey" | "clientId" | "name">;

interface HostLink extends TerminalLink {
  readonly host: Host;
  readonly link: FileLink | PageLink;
}

/**
 * Has links in terminals of hosts mean the host: a page that it serves to itself is opened through a tunnel, and a
 * file of it is not taken for one of this computer, as the editor would.
 */
export function registerTerminalLinks(deps: TerminalLinksDeps): Disposable {
  return window.registerTerminalLinkProvider({
    provideTerminalLinks: (context) => linksIn(context, deps),
    handleTerminalLink: ({ host, link }: HostLink) => follow(link, host, deps),
  });
}

function linksIn({ line, terminal }: TerminalLinkContext, { terminals }: TerminalLinksDeps) {
  const host = terminals.placeOf(terminal);
  if (host === undefined) return [];
  return hostLinks(line).map((link): HostLink => {
    const { start: startIndex, length } = link;
    return { startIndex, length, tooltip: tooltipOf(link, host), host, link };
  });
}

function tooltipOf(link: FileLink | PageLink, { name }: Host): string {
  return link.kind === "file"
    ? t("Would be a file of {0}", name)
    : t("Open through a tunnel to port {0} of {1}", link.remote.port, name);
}

async function follow(
  link: FileLink | PageLink,
  host: Host,
  deps: TerminalLinksDeps,
): Promise<void> {
  try {
    if (link.kind === "file") await tellOf(link, host);
    else await openThroughTunnel(link, host, deps);
  } catch (error) {
    const showLog = () => void commands.executeCommand(COMMANDS.showLog);
    tellFailure("terminalLink", error, { log: deps.log, showLog });
  }
}

async function tellOf({ text }: FileLink, { name }: Host): Promise<void> {
  const copy = t("Copy Path");
  const message = t("{0} would be a file of {1}, not of this computer.", text, name);
  const buttons = isPlainLine(text) ? [copy] : [];
  const answer = await window.showInformationMessage(plainText(message), ...buttons);
  if (answer === copy) await env.clipboard.writeText(text);
}

async function openThroughTunnel(
  link: PageLink,
  { serverKey, clientId }: Host,
  deps: TerminalLinksDeps,
): Promise<void> {
  const server = deps.fleet.get(serverKey);
  const client = deps.fleet.client(serverKey, clientId);
  if (server === undefined || client === undefined) {
    void window.showInformationMessage(t("This host is not there any more."));
    return;
  }
  const input = { node: deps.nodes.get({ kind: "server", serverKey }), isKey: false };
  const whyNot =
    whyNotReachable("openTunnel", input, deps.fleet) ??
    whyNotAllowed("openTunnel", input, deps.fleet);
  if (whyNot !== undefined) {
    void window.showInformationMessage(plainText(whyNot));
    return;
  }
  const target = { server, client };
  const wish = { remote: remoteOf(link, target, deps), localPort: undefined };
  const opened = await openTunnelTo(target, wish, deps);
  if (typeof opened === "object") await openPage(opened, link);
}

/** As the tunnel has it that is open to there under another name of the same host, else as it was printed. */
function remoteOf(
  { remote }: PageLink,
  { server, client }: ClientTarget,
  { fleet }: TerminalLinksDeps,
): PageLink["remote"] {
  const names = SAME_HOST.includes(remote.host) ? SAME_HOST : [];
  const remotes = openOnes(fleet.tunnels.of(server.key, client.id)).map((each) => each.remote);
  const isSame = (each: PageLink["remote"]) =>
    each.port === remote.port && names.includes(each.host);
  return (
    remotes.find((each) => isSame(each) && each.host === remote.host) ??
    remotes.find(isSame) ??
    remote
  );
}
