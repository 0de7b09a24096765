import { join } from "node:path";
import type { ExtensionContext } from "vscode";
import type { Fleet } from "./servers/fleet.ts";
import { TunnelRestorer } from "./servers/tunnelRestorer.ts";
import type { Ssh } from "./ssh/createSsh.ts";
import { LocalTunnels } from "./tunnels/localTunnels.ts";
import type { LocalTunnelsDeps } from "./tunnels/localTunnelsDeps.ts";
import { lookAt } from "./tunnels/look.ts";
import { MemoryFile } from "./tunnels/memory/memoryFile.ts";
import { SharedTunnels } from "./tunnels/sharedTunnels.ts";
import { chosenBindAddress, type TunnelSettings } from "./tunnels/tunnelSettings.ts";

/** What lasts of tunnels, in the storage that all windows of the editor share. */
const TUNNELS_FILE = "tunnels.json";

/** The tunnels of a window, and what they go by. */
export interface TunnelParts {
  readonly fleet: Fleet;
  readonly tunnels: SharedTunnels;
  readonly settings: TunnelSettings;
}

/** What opens and shows tunnels of before as the settings say. */
export function ofTunnels({ fleet, tunnels, settings }: TunnelParts) {
  return [
    new TunnelRestorer({ fleet, tunnels, restore: () => settings.restore }),
    settings.onChanged(() => tunnels.offersChanged()),
  ];
}

/** All windows of one storage share their tunnels; the one that holds them serves `ssh`, too. */
export function createTunnels(
  { globalStorageUri: { fsPath: storage } }: ExtensionContext,
  settings: TunnelSettings,
  { ssh, ...deps }: Omit<LocalTunnelsDeps, "memory"> & { readonly ssh: () => Ssh },
): SharedTunnels {
  const { clock, log } = deps;
  const memory = new MemoryFile({ path: join(storage, TUNNELS_FILE), log });
  return new SharedTunnels({
    storage,
    memory,
    workspace: () => settings.workspace,
    isOffered: (tunnel) => settings.isOffered(tunnel),
    onBridge: (socket, version) => ssh().door.serve(socket, version),
    hold: () => {
      ssh().start();
      const idleLimitMs = () => settings.idleLimitMs;
      const bindAddress = chosenBindAddress;
      return new LocalTunnels({ ...deps, memory, look: lookAt, idleLimitMs, bindAddress });
    },
    clock,
    log,
  });
}
