import type { Client } from "@rport/protocol/model";
import { t } from "@vscode/l10n";
import { window } from "vscode";
import type { ClientTarget } from "../../servers/entities.ts";
import type { Server } from "../../servers/server.ts";
import { isUser } from "../../ssh/config/accounts.ts";
import { type Host, handleOf, hostOf, nameHosts } from "../../ssh/hosts.ts";
import type { SshSetup } from "../../ssh/setup.ts";
import type { SshSettings } from "../../ssh/sshSettings.ts";
import { plainText } from "../../support/text.ts";
import { copyLines } from "../clients.ts";
import { confirm } from "../confirm.ts";
import type { CommandInput, Handlers } from "../registry.ts";
import { NOUNS } from "../targets/nouns.ts";
import type { Targets } from "../targets/targets.ts";
import { openRemoteWindow, type Where } from "./remoteSsh.ts";

/** What the commands about `ssh` need. */
export interface SshCommandsDeps {
  readonly targets: Targets;
  readonly setup: SshSetup;
  readonly sshSettings: SshSettings;
  /** All hosts that have a name for `ssh`. */
  readonly sshHosts: () => Promise<readonly Host[]>;
  /** The plainest name by which `ssh` is told of a host, by its handle, once it is. Throws a sentence when it is not. */
  readonly toldOf: (handle: string) => Promise<string>;
  /** Takes away what `ssh` is told of hosts, and what was kept for that. Throws a sentence. */
  readonly removeFromSsh: () => Promise<void>;
}

/** Commands about `ssh`. */
export type SshHandlers = Pick<
  Handlers,
  "setUpSsh" | "removeSsh" | "connectSsh" | "connectSshNewWindow" | "copySshCommand" | "setSshUser"
>;

/** Telling `ssh` of hosts, and using that. */
export function sshHandlers(deps: SshCommandsDeps): SshHandlers {
  const { setup, sshSettings: settings } = deps;
  const open = (where: Where) => async (input: CommandInput) => {
    const alias = await told(deps, input, t("Open a window on which client?"));
    if (alias !== undefined) await openRemoteWindow(alias, where);
  };
  return {
    async setUpSsh() {
      if (!(await ensureOn(deps))) return;
      const example = `ssh ${await exampleOf(deps)}`;
      void window.showInformationMessage(
        t("ssh, and what uses it, knows your hosts by their names now, as in: {0}", example),
      );
    },
    async removeSsh() {
      const question = t("Remove your hosts from ssh?");
      const { told } = setup;
      const loss =
        told &&
        t("{0} loses its line {1}, and nothing else of it changes.", told.config, told.line);
      const lines = loss === undefined ? [] : [loss];
      if ((await confirm({ question, lines, button: t("Remove") })) !== "act") return;
      await settings.turn(false);
      await deps.removeFromSsh();
    },
    connectSsh: open("thisWindow"),
    connectSshNewWindow: open("newWindow"),
    async copySshCommand(input) {
      const alias = await told(deps, input, t("Copy the ssh command of which client?"));
      if (alias !== undefined) await copyLines([`ssh ${alias}`]);
    },
    async setSshUser(input) {
      const target = await deps.targets.client(input, {
        title: t("Sign in with ssh as somebody else on which client?"),
        noun: NOUNS.client,
      });
      if (target !== undefined) await askUser(settings, target);
    },
  };
}

/** What `ssh` knows the chosen client by, once it does; undefined when somebody did not want to go on. */
async function told(deps: SshCommandsDeps, input: CommandInput, title: string) {
  const { targets, toldOf } = deps;
  const fits = (_: Client, server: Server) => server.may("tunnels");
  const target = await targets.client(input, { title, noun: NOUNS.client, fits });
  if (target === undefined || !(await ensureOn(deps))) return undefined;
  return toldOf(handleOf(hostOf(target.server, target.client)));
}

/** Has `ssh` be told of hosts, when somebody agrees or has agreed. */
async function ensureOn({ setup, sshSettings: settings }: SshCommandsDeps): Promise<boolean> {
  if (settings.isOn && (await setup.isIncluded())) return true;
  const { config, folder, line } = setup.places;
  const asked = {
    question: t("Let ssh find your hosts by their names?"),
    lines: [
      t("One line is put at the top of {0}: {1}", config, line),
      t("The names are written to {0}, without any secret: this editor signs in for ssh.", folder),
      t("RPort: Remove Hosts from ssh... takes all of it away again."),
    ],
    button: t("Set Up"),
    isHarmless: true,
  };
  if ((await confirm(asked)) !== "act") return false;
  await setup.include();
  await settings.turn(true);
  return true;
}

async function askUser(settings: SshSettings, { server, client }: ClientTarget): Promise<void> {
  const handle = handleOf(hostOf(server, client));
  const typed = await window.showInputBox({
    title: t("Sign in with ssh on {0} as", plainText(client.name || client.id)),
    prompt: t("An account of that host; nothing: whom the settings say, or ssh itself."),
    value: settings.userOf(handle) ?? "",
    validateInput: (text) => {
      const isFine = text.trim() === "" || isUser(text.trim());
      return isFine ? undefined : t("ssh cannot be told of an account that is called so.");
    },
  });
  if (typed !== undefined) await settings.setUser(handle, typed.trim());
}

async function exampleOf({ sshHosts }: SshCommandsDeps): Promise<string> {
  const { named } = nameHosts(await sshHosts());
  return named[0]?.aliases[0] ?? "web-01.rport";
}
