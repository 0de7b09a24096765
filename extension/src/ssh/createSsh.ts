import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExtensionContext } from "vscode";
import { window } from "vscode";
import type { Fleet } from "../servers/fleet.ts";
import type { Clock } from "../support/clock.ts";
import type { Log } from "../support/log.ts";
import { Door } from "./door.ts";
import type { Host } from "./hosts.ts";
import { KeepTold } from "./keepTold.ts";
import { KnownHosts } from "./knownHosts.ts";
import { type Included, SshSetup } from "./setup.ts";
import { SshSettings } from "./sshSettings.ts";

/** Holds the hosts of the last time, in the storage that all windows of the editor share. */
const HOSTS_FILE = "ssh-hosts.json";
/** The program beside the extension's own. */
const PROGRAM = "dist/bridge/bridge.cjs";
const INCLUDED = "ssh.included";

/** What `ssh` has of one window. */
export interface Ssh {
  readonly setup: SshSetup;
  readonly sshSettings: SshSettings;
  readonly sshHosts: () => readonly Host[];
  readonly door: Door;
  /** Has this window keep `ssh` told, for all windows. */
  readonly start: () => void;
  dispose(): void;
}

/** Builds what `ssh` has of a window; nothing of it reads or writes before somebody asks for it. */
export function createSsh(
  context: ExtensionContext,
  deps: { readonly fleet: Fleet; readonly clock: Clock; readonly log: Log },
): Ssh {
  const { fleet, clock, log } = deps;
  const { fsPath: storage } = context.globalStorageUri;
  const sshSettings = new SshSettings();
  const path = join(storage, HOSTS_FILE);
  const hosts = new KnownHosts({ path, servers: () => fleet.servers, log });
  const sshHosts = () => hosts.all;
  const setup = setupOf(context, sshSettings);
  const warn = (sentence: string) => void window.showWarningMessage(sentence);
  const told = new KeepTold({ setup, hosts, isOn: () => sshSettings.isOn, warn, clock, log });
  const accessTo = (serverKey: string) => fleet.get(serverKey)?.access;
  const door = new Door({ ready: () => hosts.load(), hosts: sshHosts, accessTo, clock, log });
  const unsubscribe = fleet.changed.add(({ kind }) => {
    if (kind !== "localTunnel") told.changed();
  });
  const followed = sshSettings.onChanged(() => told.changed());
  return {
    setup,
    sshSettings,
    sshHosts,
    door,
    start: () => told.start(),
    dispose() {
      unsubscribe();
      followed.dispose();
      told.dispose();
      door.dispose();
    },
  };
}

function setupOf(context: ExtensionContext, settings: SshSettings): SshSetup {
  const { globalState } = context;
  return new SshSetup({
    launcher: {
      runtime: process.execPath,
      program: join(context.extensionPath, PROGRAM),
      storage: context.globalStorageUri.fsPath,
      temporary: tmpdir(),
    },
    configFile: () => settings.configFile,
    userOf: (handle) => settings.userOf(handle),
    memory: {
      get: () => globalState.get<Included>(INCLUDED),
      set: (included) => globalState.update(INCLUDED, included),
    },
  });
}
