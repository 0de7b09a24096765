import { createHash } from "node:crypto";
import { type Disposable, workspace } from "vscode";
import { SECTION, SETTINGS } from "../manifest.ts";
import { cardAddresses } from "../support/cardAddresses.ts";
import { oneOf } from "../support/oneOf.ts";
import { bindAddressOf } from "./bindAddress.ts";
import type { LocalTunnel } from "./localTunnel.ts";

/** What becomes of the tunnels of before, when the editor comes back. */
export const RESTORE = ["ask", "always", "never"] as const;
/** Where tunnels of before are shown: in the workspace where they were opened last, or everywhere. */
export const REMEMBER = ["workspace", "everywhere"] as const;

const MINUTE_MS = 60_000;

/** One of `RESTORE`. */
export type Restore = (typeof RESTORE)[number];

/** The person's settings about tunnels of before. */
export class TunnelSettings {
  /** The mark of this window's workspace. */
  get workspace(): string {
    return workspaceMark();
  }

  /** What becomes of tunnels of before; a value that is none of them counts as the first. */
  get restore(): Restore {
    return oneOf(RESTORE, this.#read(SETTINGS.restoreTunnels));
  }

  /** Whether a tunnel of before is shown in this window. */
  isOffered(tunnel: Pick<LocalTunnel, "workspace">): boolean {
    if (this.restore === "never") return false;
    const where = oneOf(REMEMBER, this.#read(SETTINGS.rememberTunnels));
    return where === "everywhere" || tunnel.workspace === this.workspace;
  }

  /** After how long without a connection a tunnel is closed, in milliseconds; 0: never. */
  get idleLimitMs(): number {
    const minutes = this.#read(SETTINGS.idleTimeout);
    return typeof minutes === "number" && minutes > 0 ? minutes * MINUTE_MS : 0;
  }

  /** Calls back whenever one of the settings has changed. */
  onChanged(run: () => void): Disposable {
    return workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(`${SECTION}.tunnels`)) run();
    });
  }

  #read(name: string): unknown {
    return workspace.getConfiguration(SECTION).get(name);
  }
}

/** Where a tunnel that is opened now listens. Throws as `bindAddressOf`; a workspace's settings are never looked at. */
export function chosenBindAddress(): string {
  const setting = workspace.getConfiguration(SECTION).inspect(SETTINGS.bindAddress)?.globalValue;
  return bindAddressOf(
    setting,
    cardAddresses().map(({ address }) => address),
  );
}

/** What a workspace is known by, without its name; empty for a window without one. */
function workspaceMark(): string {
  const { workspaceFile, workspaceFolders } = workspace;
  const uri = workspaceFile ?? workspaceFolders?.[0]?.uri;
  if (uri === undefined) return "";
  return createHash("sha256").update(uri.toString()).digest("hex").slice(0, 32);
}
