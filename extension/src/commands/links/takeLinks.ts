import { commands, type Disposable, window } from "vscode";
import { COMMANDS } from "../../manifest.ts";
import type { ClientTarget } from "../../servers/entities.ts";
import { systemClock } from "../../support/clock.ts";
import type { LocalTunnel } from "../../tunnels/localTunnel.ts";
import type { Views } from "../../views/views.ts";
import { addServer, type SignInDeps } from "../people/addServer.ts";
import { whyNotAllowed } from "../people/commandRights.ts";
import { whyNotReachable } from "../reach.ts";
import type { TunnelChoice } from "../tunnels/tunnelPick.ts";
import { type OpeningDeps, openTunnel, openTunnelTo } from "../tunnels/tunnels.ts";
import { LinkDoor, type LinkDoorDeps } from "./linkDoor.ts";

/** What following links takes. */
export interface TakeLinksDeps
  extends Pick<LinkDoorDeps, "fleet" | "nodes" | "log">,
    Pick<SignInDeps, "settings" | "tokens" | "fetch"> {
  readonly views: Pick<Views, "revealTunnel">;
}

/** Takes links from now on. They are followed with what commands do, and as far as commands are allowed. */
export function takeLinks(deps: TakeLinksDeps): Disposable {
  const { fleet, nodes, views, log } = deps;
  const reveal = (tunnel: LocalTunnel) => views.revealTunnel(tunnel);
  const door = new LinkDoor({
    fleet,
    nodes,
    log,
    clock: systemClock,
    whyNotAllowed: (name, node) =>
      whyNotReachable(name, { node, isKey: false }, fleet) ?? whyNotAllowed(name, { node }, fleet),
    run: async (name, node) => {
      await commands.executeCommand(COMMANDS[name], node);
    },
    addServer: (named) => addServer(deps, named),
    openTunnel: (target, choice) => openLinked(target, choice, { fleet, reveal }),
  });
  return window.registerUriHandler(door);
}

/** Where nothing answers, somebody may know better than the link. */
async function openLinked(
  target: ClientTarget,
  choice: TunnelChoice,
  deps: OpeningDeps,
): Promise<void> {
  const decision = await openTunnelTo(target, choice, deps);
  if (decision === "another") await openTunnel(target, deps);
}
