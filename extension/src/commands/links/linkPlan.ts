import { formatHostPort } from "@rport/protocol/remote";
import { t } from "@vscode/l10n";
import type { Link } from "../../links/link.ts";
import { whichServer, whyOtherKey } from "../../links/whichServer.ts";
import type { CommandName } from "../../manifest.ts";
import { displayName } from "../../model/arrange.ts";
import type { Node, Nodes } from "../../model/node.ts";
import { stateText } from "../../model/rows/serverRow.ts";
import type { ClientTarget } from "../../servers/entities.ts";
import type { Fleet } from "../../servers/fleet.ts";
import type { Server } from "../../servers/server.ts";
import type { Clock } from "../../support/clock.ts";
import { plainText } from "../../support/text.ts";
import type { NamedServer } from "../people/addServer.ts";
import type { TunnelChoice } from "../tunnels/tunnelPick.ts";
import { whenConnected } from "./whenConnected.ts";

/** What following links needs. */
export interface LinkDeps {
  readonly fleet: Fleet;
  readonly nodes: Nodes;
  readonly clock: Clock;
  /** Why a command is not allowed on a row, as a sentence; undefined when it is. */
  readonly whyNotAllowed: (name: CommandName, node: Node) => string | undefined;
  /** Runs a command on a row, as somebody would from its menu. */
  readonly run: (name: CommandName, node: Node) => Promise<void>;
  readonly addServer: (server: NamedServer) => Promise<void>;
  readonly openTunnel: (target: ClientTarget, choice: TunnelChoice) => Promise<void>;
}

/** What a link would do, as it is asked for, and how it is done. */
export interface Plan {
  readonly question: string;
  readonly lines: readonly string[];
  readonly button: string;
  readonly run: () => Promise<void>;
}

/** A plan, or why the link cannot be followed here, as a sentence. */
export type Planned = Plan | { readonly why: string };

type Of<R extends Link["route"]> = Extract<Link, { readonly route: R }>;

/**
 * Finds what a link means. Waits for a server that is on its way, because a link may be what started
 * the editor; asks nobody and changes nothing.
 */
export async function planOf(link: Link, deps: LinkDeps): Promise<Planned> {
  if (link.route === "/add-server") return planToAdd(link, deps);
  const found = whichServer(link, deps.fleet.servers);
  if ("why" in found) return found;
  const { server } = found;
  await whenConnected(server, deps.clock);
  const why = whyOtherKey(server, link.fingerprint);
  if (why !== undefined) return { why };
  switch (link.route) {
    case "/client":
      return planToShow(link, server, deps);
    case "/install":
      return planToInstall(link, server, deps);
    case "/tunnel":
      return planToOpen(link, server, deps);
  }
}

function planToAdd({ server: url, fingerprint, name }: Of<"/add-server">, deps: LinkDeps): Planned {
  const known = deps.fleet.servers.find(({ address }) => address === url);
  const why = known === undefined ? undefined : whyOtherKey(known, fingerprint);
  if (why !== undefined) return { why };
  if (known !== undefined) return { why: t("{0} is here already.", plainText(known.name)) };
  const key = fingerprint ?? t("the link names none: compare the one that the server shows");
  return {
    question: t("Add the server {0}?", plainText(new URL(url).host)),
    lines: [
      t("Address: {0}", plainText(url)),
      t("Fingerprint: {0}", key),
      t("Nothing is sent there before you have confirmed its address."),
    ],
    button: t("Add Server..."),
    run: () => deps.addServer({ url, fingerprint, name }),
  };
}

function planToShow({ id }: Of<"/client">, server: Server, deps: LinkDeps): Planned {
  const target = clientOf(server, id);
  if ("why" in target) return target;
  const node = clientNode(target, deps.nodes);
  return {
    question: t("Show {0}?", nameOf(target)),
    lines: linesOf(server, [t("Client: {0}", nameAndId(target))]),
    button: t("Show Client"),
    async run() {
      await deps.run("goToClient", node);
      await deps.run("showDetails", node);
    },
  };
}

function planToInstall(
  { credential: authId }: Of<"/install">,
  server: Server,
  deps: LinkDeps,
): Planned {
  const { key: serverKey, mirror } = server;
  const node = deps.nodes.get(
    authId === undefined
      ? { kind: "server", serverKey }
      : { kind: "credential", serverKey, authId },
  );
  const why = deps.whyNotAllowed("installClient", node);
  if (why !== undefined) return { why };
  if (authId !== undefined && !mirror.maps.credentials.has(authId)) {
    return { why: t("{0} has no credential {1}.", plainText(server.name), plainText(authId)) };
  }
  return {
    question: t("Install a client of {0}?", plainText(server.name)),
    lines: linesOf(server, [
      authId === undefined ? "" : t("Credential: {0}", plainText(authId)),
      t("A line is made that lets one host in. Paste it only where you want that."),
    ]),
    button: t("Install Client..."),
    run: () => deps.run("installClient", node),
  };
}

function planToOpen(link: Of<"/tunnel">, server: Server, deps: LinkDeps): Planned {
  const target = clientOf(server, link.client);
  if ("why" in target) return target;
  const why = deps.whyNotAllowed("openTunnel", clientNode(target, deps.nodes));
  if (why !== undefined) return { why };
  const { remote, local } = link;
  const place = plainText(formatHostPort(remote));
  return {
    question: t("Open a tunnel to {0}?", nameOf(target)),
    lines: linesOf(server, [
      t("Client: {0}", nameAndId(target)),
      t("Leads to: {0}, as the client sees it", place),
      local === undefined ? "" : t("Port of this computer: {0}", local),
    ]),
    button: t("Open Tunnel"),
    run: () => deps.openTunnel(target, { remote, localPort: local }),
  };
}

function clientOf(server: Server, id: string): ClientTarget | { readonly why: string } {
  const client = server.mirror.maps.clients.get(id);
  if (client !== undefined) return { server, client };
  const name = plainText(server.name);
  const state = stateText(server.state);
  if (state !== "") return { why: t("{0} is not connected ({1}).", name, state) };
  return { why: t("{0} has no client with the ID {1}.", name, plainText(id)) };
}

function clientNode({ server, client }: ClientTarget, nodes: Nodes): Node {
  const clientId = client.id;
  return nodes.get({ kind: "client", serverKey: server.key, clientId, place: "clients" });
}

const nameOf = ({ client }: ClientTarget) => plainText(displayName(client));

const nameAndId = (target: ClientTarget) => `${nameOf(target)} (${plainText(target.client.id)})`;

/** What a link does, and where: who made it may mean another server than whoever follows it. */
function linesOf({ name, address, fingerprint }: Server, lines: readonly string[]): string[] {
  return [
    ...lines,
    t("Server: {0}", plainText(name)),
    t("Address: {0}", plainText(address)),
    t("Fingerprint: {0}", plainText(fingerprint)),
  ];
}
