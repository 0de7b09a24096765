import { t } from "@vscode/l10n";
import { ConfigurationTarget, type Disposable, workspace } from "vscode";
import { SECTION, SETTINGS } from "../manifest.ts";
import { Turns } from "../support/turns.ts";
import { doubtfulAccounts, isUser } from "./config/accounts.ts";

/** The person's settings about `ssh`. A workspace's settings are never looked at. */
export class SshSettings {
  readonly #turns = new Turns();

  /** Whether `ssh` is to be told of hosts. */
  get isOn(): boolean {
    return this.#read(SETTINGS.sshEnabled) === true;
  }

  /** The full path of another configuration than the usual one, or empty. */
  get configFile(): string {
    const path = this.#read(SETTINGS.sshConfigFile);
    return typeof path === "string" ? path.trim() : "";
  }

  /** Whom somebody signs in as where nothing else is said; undefined: as `ssh` decides. */
  get usualUser(): string | undefined {
    return userOf(this.#read(SETTINGS.sshUser));
  }

  /** Whom somebody signs in as, by a host's handle; undefined: as `ssh` decides. */
  userOf(handle: string): string | undefined {
    return userOf(this.#users[handle]) ?? this.usualUser;
  }

  /** What of them `ssh` cannot be told, as a sentence; empty: nothing. */
  get doubt(): string {
    const user = this.#read(SETTINGS.sshUser);
    const names = { user: SETTINGS.sshUser, users: SETTINGS.sshUsers };
    const [first] = doubtfulAccounts({ user, users: this.#users });
    if (first === undefined) return "";
    return t(
      "The setting {0} names an account that ssh cannot be told of, which is not used.",
      `${SECTION}.${names[first]}`,
    );
  }

  /** Has `ssh` be told of hosts, or no longer. */
  async turn(isOn: boolean): Promise<void> {
    await this.#write(SETTINGS.sshEnabled, isOn);
  }

  /** Remembers whom somebody signs in as on one host; empty: as everywhere. One after the other, so that none is lost. */
  async setUser(handle: string, user: string): Promise<void> {
    await this.#turns.run(async () => {
      const { [handle]: _, ...others } = this.#users;
      await this.#write(SETTINGS.sshUsers, user === "" ? others : { ...others, [handle]: user });
    });
  }

  /** Calls back whenever one of the settings has changed. */
  onChanged(run: () => void): Disposable {
    return workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(`${SECTION}.ssh`)) run();
    });
  }

  get #users(): Readonly<Record<string, unknown>> {
    const users = this.#read(SETTINGS.sshUsers);
    return typeof users === "object" && users !== null ? { ...users } : {};
  }

  #read(name: string): unknown {
    return workspace.getConfiguration(SECTION).inspect(name)?.globalValue;
  }

  async #write(name: string, value: unknown): Promise<void> {
    await workspace.getConfiguration(SECTION).update(name, value, ConfigurationTarget.Global);
  }
}

function userOf(text: unknown): string | undefined {
  return typeof text === "string" && isUser(text) ? text : undefined;
}
