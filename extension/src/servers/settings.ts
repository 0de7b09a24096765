import { ConfigurationTarget, type Disposable, workspace } from "vscode";
import { SECTION, SETTINGS } from "../manifest.ts";
import { Turns } from "../support/turns.ts";
import { parseServers, type ServerConfig } from "./config.ts";
import {
  hasServer,
  type ServerEdit,
  withEdit,
  withoutServer,
  withServer,
} from "./writtenServers.ts";

/**
 * The configured servers, in the user's settings. A workspace's settings are never looked at. Each change is made to
 * what is written there by then, one after the other, and rejects where the editor does not write it.
 */
export class ServerSettings {
  readonly #turns = new Turns();

  /** The servers as they are configured now. */
  read(): readonly ServerConfig[] {
    return parseServers(this.#written());
  }

  /** Adds a server, or changes the one with the same address into it. */
  async put(config: ServerConfig): Promise<void> {
    await this.#change((written) => withServer(written, config));
  }

  /** Adds a server, unless there is one with the same address. */
  async add(config: ServerConfig): Promise<void> {
    await this.#change((written) =>
      hasServer(written, config.url) ? written : withServer(written, config),
    );
  }

  /** Changes this of a server; one that is not there any more stays away. */
  async edit(url: string, edit: ServerEdit): Promise<void> {
    await this.#change((written) => withEdit(written, url, edit));
  }

  /** Removes a server. */
  async remove(url: string): Promise<void> {
    await this.#change((written) => withoutServer(written, url));
  }

  /** Calls back whenever the setting has changed. */
  onChanged(run: () => void): Disposable {
    return workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(`${SECTION}.${SETTINGS.servers}`)) run();
    });
  }

  #written(): unknown {
    return workspace.getConfiguration(SECTION).inspect(SETTINGS.servers)?.globalValue;
  }

  #change(edit: (written: unknown) => unknown): Promise<void> {
    return this.#turns.run(async () => {
      const before = this.#written();
      const after = edit(before);
      if (after === before) return;
      await workspace
        .getConfiguration(SECTION)
        .update(SETTINGS.servers, after, ConfigurationTarget.Global);
    });
  }
}
