import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExtensionContext } from "vscode";
import { window } from "vscode";
import type { Fleet } from "../servers/fleet.ts";
import { recognisedOf } from "../servers/recognised.ts";
import type { Clock } from "../support/clock.ts";
import type { Log } from "../support/log.ts";
import { askEditor } from "./bridge/askEditors.ts";
import { Door } from "./door.ts";
import type { Host } from "./hosts.ts";
import { KeepTold } from "./keepTold.ts";
import { concernsHosts, KnownHosts } from "./knownHosts.ts";
import { type Included, SshSetup } from "./setup.ts";
import { shutWith } from "./shutWith.ts";
import { SshSettings } from "./sshSettings.ts";
import { waitTold } from "./waitTold.ts";

/** Holds the hosts of the last time, in the storage that all windows of the editor share. */
const HOSTS_FILE = "ssh-hosts.json";
/** The program beside the extension's own. */
const PROGRAM = "dist/bridge/bridge.cjs";
const INCLUDED = "ssh.included";

/** What `ssh` has of one window. */
export interface Ssh {
  readonly setup: SshSetup;
  readonly sshSettings: SshSettings;
  /** All hosts, with those that were known the last time. */
  readonly sshHosts: () => Promise<readonly Host[]>;
  readonly door: Door;
  /** The plainest name by which `ssh` is told of a host, by its handle, once it is. Throws a sentence when it is not. */
  readonly toldOf: (handle: string) => Promise<string>;
  /** Takes away what `ssh` is told of hosts, and what was kept for that. Throws a sentence. */
  readonly removeFromSsh: () => Promise<void>;
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
  const sshHosts = async () => {
    await hosts.load();
    return hosts.all;
  };
  const setup = setupOf(context, sshSettings);
  const warn = (sentence: string) => void window.showWarningMessage(sentence);
  const { isOn, doubt } = { isOn: () => sshSettings.isOn, doubt: () => sshSettings.doubt };
  const told = new KeepTold({ setup, hosts, isOn, doubt, warn, clock, log });
  const accessTo = (serverKey: string) => recognisedOf(fleet, serverKey, clock);
  const aliasesOf = (handle: string) => setup.aliasesOf(handle);
  const door = new Door({
    ready: () => hosts.load(),
    hosts,
    told: { aliasesOf, isLeft: (handle) => told.isLeft(handle), hurry: () => told.hurry() },
    accessTo,
    clock,
    log,
  });
  const unsubscribe = fleet.changed.add((change) => {
    if (concernsHosts(change)) told.changed();
    shutWith(change, fleet, door);
  });
  const followed = sshSettings.onChanged(() => {
    told.changed();
    told.hurry();
  });
  const askWriter = (handle: string) =>
    askEditor({ kind: "naming", asked: { name: handle } }, storage, clock);
  return {
    setup,
    sshSettings,
    sshHosts,
    door,
    toldOf: (handle) => waitTold(handle, { aliasesOf, askWriter, clock }),
    removeFromSsh: () => told.remove(),
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
