import { formatHostPort } from "@rport/protocol/remote";
import { t } from "@vscode/l10n";
import { type Disposable, env, type TerminalLink, type TerminalLinkContext, window } from "vscode";
import type { Nodes } from "../../model/node.ts";
import { type FileLink, hostLinks, type PageLink } from "../../model/terminals/hostLinks.ts";
import type { ClientTarget } from "../../servers/entities.ts";
import { describeError } from "../../support/describeError.ts";
import { isPlainLine, plainText } from "../../support/text.ts";
import type { HostTerminals, Place } from "../../terminals/hostTerminals.ts";
import { type LocalTunnel, openOnes } from "../../tunnels/localTunnel.ts";
import { whyNotAllowed } from "../people/commandRights.ts";
import { whyNotReachable } from "../reach.ts";
import { type OpeningDeps, openTunnelTo } from "../tunnels/tunnels.ts";
import { openPage } from "../tunnels/use.ts";

/** What links in terminals of hosts need. */
export interface TerminalLinksDeps extends OpeningDeps {
  readonly nodes: Nodes;
  readonly terminals: Pick<HostTerminals, "placeOf">;
}

interface HostLink extends TerminalLink {
  readonly place: Place;
  readonly link: FileLink | PageLink;
}

/**
 * Has links in terminals of hosts mean the host: a page that it serves to itself is opened through a tunnel, and a
 * file of it is not taken for one of this computer, as the editor would.
 */
export function registerTerminalLinks(deps: TerminalLinksDeps): Disposable {
  return window.registerTerminalLinkProvider({
    provideTerminalLinks: (context) => linksIn(context, deps),
    handleTerminalLink: ({ place, link }: HostLink) => follow(link, place, deps),
  });
}

function linksIn({ line, terminal }: TerminalLinkContext, { terminals }: TerminalLinksDeps) {
  const place = terminals.placeOf(terminal);
  if (place === undefined) return [];
  return hostLinks(line).map((link): HostLink => {
    const { start: startIndex, length } = link;
    return { startIndex, length, tooltip: tooltipOf(link, place), place, link };
  });
}

function tooltipOf(link: FileLink | PageLink, { name }: Place): string {
  return link.kind === "file"
    ? t("A file of {0}", name)
    : t("Open through a tunnel to port {0} of {1}", link.remote.port, name);
}

async function follow(
  link: FileLink | PageLink,
  place: Place,
  deps: TerminalLinksDeps,
): Promise<void> {
  try {
    if (link.kind === "file") await tellOf(link, place);
    else await openThroughTunnel(link, place, deps);
  } catch (error) {
    void window.showErrorMessage(describeError(error));
  }
}

async function tellOf({ text }: FileLink, { name }: Place): Promise<void> {
  const copy = t("Copy Path");
  const message = t("{0} is a file of {1}, not of this computer.", text, name);
  const buttons = isPlainLine(text) ? [copy] : [];
  const answer = await window.showInformationMessage(plainText(message), ...buttons);
  if (answer === copy) await env.clipboard.writeText(text);
}

async function openThroughTunnel(
  link: PageLink,
  { serverKey, clientId }: Place,
  deps: TerminalLinksDeps,
): Promise<void> {
  const input = { node: deps.nodes.get({ kind: "server", serverKey }), isKey: false };
  const whyNot =
    whyNotReachable("openTunnel", input, deps.fleet) ??
    whyNotAllowed("openTunnel", input, deps.fleet);
  const server = deps.fleet.get(serverKey);
  const client = deps.fleet.client(serverKey, clientId);
  if (whyNot !== undefined || server === undefined || client === undefined) {
    void window.showInformationMessage(plainText(whyNot ?? t("This host is not there any more.")));
    return;
  }
  const tunnel = await tunnelTo(link, { server, client }, deps);
  if (tunnel !== undefined) await openPage(tunnel, link);
}

/** The tunnel that leads there, opened as any other one if there is none. */
async function tunnelTo(
  { remote }: PageLink,
  target: ClientTarget,
  deps: TerminalLinksDeps,
): Promise<LocalTunnel | undefined> {
  const { server, client } = target;
  const known = () =>
    openOnes(deps.fleet.tunnels.of(server.key, client.id)).find(
      (each) => formatHostPort(each.remote) === formatHostPort(remote),
    );
  const found = known();
  if (found !== undefined) return found;
  const decision = await openTunnelTo(target, { remote, localPort: undefined }, deps);
  return decision === "open" ? known() : undefined;
}
