import { formatHostPort } from "@rport/protocol/remote";
import { t } from "@vscode/l10n";
import { window } from "vscode";
import { displayName } from "../../model/arrange.ts";
import { NAMES_MAX } from "../../model/blast.ts";
import { localAddress } from "../../model/rows/tunnelRow.ts";
import type { ClientTarget, TunnelTarget } from "../../servers/entities.ts";
import type { Fleet } from "../../servers/fleet.ts";
import { plural } from "../../support/plural.ts";
import { nameSome, plainText } from "../../support/text.ts";
import { type LocalTunnel, openOnes } from "../../tunnels/localTunnel.ts";
import { confirm } from "../confirm.ts";
import { personalSettings } from "../personalSettings.ts";
import type { Handlers } from "../registry.ts";
import { NOUNS } from "../targets/nouns.ts";
import type { Targets } from "../targets/targets.ts";
import { mayBeExposed } from "./exposed.ts";
import { type Opened, openTried } from "./openTried.ts";
import { pickTunnel, type TunnelChoice } from "./tunnelPick.ts";
import { isOpen } from "./use.ts";

/** What the commands on tunnels need. */
export interface TunnelCommandsDeps {
  readonly fleet: Fleet;
  readonly targets: Targets;
  /** Shows a new tunnel in its view. */
  readonly reveal: (tunnel: LocalTunnel) => Promise<void>;
}

/** What opening one takes. */
export type OpeningDeps = Pick<TunnelCommandsDeps, "fleet" | "reveal">;

/** Commands that a tunnel is the object of. */
export type TunnelHandlers = Pick<Handlers, "openTunnel" | "closeTunnel" | "closeAllTunnels">;

/** Opening, using and closing tunnels. */
export function tunnelHandlers(deps: TunnelCommandsDeps): TunnelHandlers {
  const { targets, fleet } = deps;
  return {
    async openTunnel(input) {
      const title = t("Open a tunnel to which client?");
      const asked = { title, noun: NOUNS.onlineClient, status: "online" } as const;
      const target = await targets.client(input, asked);
      if (target !== undefined) await openTunnel(target, deps);
    },
    async closeTunnel(input) {
      // a row of before has nothing to close, but is not left standing
      const fits = (target: TunnelTarget) => input.node !== undefined || isOpen(target);
      const asked = { title: t("Close which tunnel?"), noun: NOUNS.tunnel, fits };
      for (const target of (await targets.tunnels(input, asked)) ?? []) await close(target, fleet);
    },
    async closeAllTunnels() {
      await closeAll(fleet);
    },
  };
}

/** Asks where a tunnel to a client leads, and opens it. */
export async function openTunnel(target: ClientTarget, deps: OpeningDeps): Promise<void> {
  const { server, client } = target;
  for (;;) {
    const choice = await pickTunnel({
      clientName: plainText(displayName(client)),
      recent: await deps.fleet.tunnels.recent(server.key, client.id),
      listening: server.api.call("listListening", { params: { clientId: client.id } }),
    });
    if (choice === undefined) return;
    if ((await openTunnelTo(target, choice, deps)) !== "another") return;
  }
}

type Decision = "open" | "another" | "nothing";

/**
 * Opens a tunnel to a place that was chosen, or finds the one that is open already, and shows it. Asks
 * when nothing answers there; answers the tunnel, or that another place or nothing is wanted.
 */
export async function openTunnelTo(
  target: ClientTarget,
  choice: TunnelChoice,
  deps: OpeningDeps,
): Promise<LocalTunnel | "another" | "nothing"> {
  if (!(await mayBeExposed())) return "nothing";
  const asked: { answer: Decision } = { answer: "nothing" };
  const isWantedAnyway = async (why: string) => {
    asked.answer = await askAnyway(why);
    return asked.answer === "open";
  };
  const opened = await openTried(target, choice, { tunnels: deps.fleet.tunnels, isWantedAnyway });
  if (opened === undefined) return asked.answer === "another" ? "another" : "nothing";
  // the editor takes its time to open a view that was closed
  window.setStatusBarMessage(openedText(opened), 5_000);
  await deps.reveal(opened.tunnel);
  return opened.tunnel;
}

function openedText({ tunnel, found }: Opened): string {
  const address = localAddress(tunnel);
  if (found === "wasOpen") return t("The tunnel was open already: {0}", address);
  return t("Tunnel open: {0}", address);
}

async function askAnyway(why: string): Promise<Decision> {
  const openIt = t("Open Anyway");
  const another = t("Choose Another");
  const detail = t("A tunnel answers as soon as something does there.");
  const answer = await window.showWarningMessage(why, { modal: true, detail }, openIt, another);
  if (answer === openIt) return "open";
  return answer === another ? "another" : "nothing";
}

/** What a tunnel is called in messages: `web-01:22`. */
function tunnelName({ server, tunnel }: TunnelTarget): string {
  const clientId = "clientId" in tunnel ? tunnel.clientId : tunnel.client_id;
  const client = server.mirror.maps.clients.get(clientId);
  const name = client === undefined ? clientId : displayName(client);
  const remote =
    "remote" in tunnel ? tunnel.remote : { host: tunnel.rhost, port: Number(tunnel.rport) };
  return `${name} (${formatHostPort(remote)})`;
}

/** Tunnels on the server serve others too, so closing one asks first. One of before has nothing to close. */
async function close(target: TunnelTarget, fleet: Fleet): Promise<void> {
  if (target.kind === "local") {
    const { id, isOpen: answers } = target.tunnel;
    if (!answers) return fleet.tunnels.forget(id);
    if (!personalSettings.asksBeforeClosing || (await isMeant([target.tunnel]))) {
      await fleet.tunnels.close(id);
    }
    return;
  }
  const closeIt = t("Close Tunnel");
  const { server, tunnel } = target;
  const chosen = await window.showWarningMessage(
    t("Close the tunnel to {0} on {1}?", plainText(tunnelName(target)), plainText(server.name)),
    {
      modal: true,
      detail: t(
        "It was opened on the server, so others may be using it. Open connections: {0}.",
        tunnel.connections,
      ),
    },
    closeIt,
  );
  if (chosen !== closeIt) return;
  const params = { clientId: tunnel.client_id, tunnelId: tunnel.id };
  await server.api.call("deleteTunnel", { params, query: { force: "true" } });
}

/** Closes what is open on this computer, after a question; tunnels on the server are closed one by one. */
async function closeAll({ tunnels, servers }: Fleet): Promise<void> {
  const local = openOnes(tunnels.all);
  if (local.length > 0 && !(await isMeant(local))) return;
  for (const { id } of local) await tunnels.close(id);
  const left = servers.reduce((sum, { mirror }) => sum + mirror.maps.tunnels.size, 0);
  if (local.length > 0 || left === 0) return;
  void window.showInformationMessage(
    t("The tunnels left are on the server and may be used by others: close them one by one."),
  );
}

async function isMeant(local: readonly LocalTunnel[]): Promise<boolean> {
  const connections = local.reduce((sum, tunnel) => sum + tunnel.connections, 0);
  const answer = await confirm({
    question: plural(
      local.length,
      t("Close {0} tunnel of this computer?", local.length),
      t("Close {0} tunnels of this computer?", local.length),
    ),
    lines: [
      `${nameSome(local.map(localAddress), NAMES_MAX)}.`,
      t("All windows of the editor share them."),
      connections === 0
        ? ""
        : plural(
            connections,
            t("{0} open connection will be cut.", connections),
            t("{0} open connections will be cut.", connections),
          ),
    ],
    button: local.length === 1 ? t("Close Tunnel") : t("Close All Tunnels"),
  });
  return answer === "act";
}
