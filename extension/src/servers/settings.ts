import { ConfigurationTarget, type Disposable, workspace } from "vscode";
import { SECTION, SETTINGS } from "../manifest.ts";
import { parseServers, type ServerConfig } from "./config.ts";

/** The configured servers, in the user's settings. A workspace's settings are never looked at. */
export class ServerSettings {
  /** The servers as they are configured now. */
  read(): readonly ServerConfig[] {
    const configuration = workspace.getConfiguration(SECTION);
    return parseServers(configuration.inspect(SETTINGS.servers)?.globalValue);
  }

  /** Adds a server, or replaces the one with the same address. */
  async put(config: ServerConfig): Promise<void> {
    const before = this.read();
    const isKnown = before.some(({ url }) => url === config.url);
    await this.#write(
      isKnown
        ? before.map((each) => (each.url === config.url ? config : each))
        : [...before, config],
    );
  }

  /** Adds a server, unless there is one with the same address. */
  async add(config: ServerConfig): Promise<void> {
    if (!this.read().some(({ url }) => url === config.url)) await this.put(config);
  }

  /** Removes a server. */
  async remove(url: string): Promise<void> {
    await this.#write(this.read().filter((config) => config.url !== url));
  }

  /** Calls back whenever the setting has changed. */
  onChanged(run: () => void): Disposable {
    return workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(`${SECTION}.${SETTINGS.servers}`)) run();
    });
  }

  async #write(servers: readonly ServerConfig[]): Promise<void> {
    const written = servers.map(({ name, url, fingerprint, tlsPin }) => ({
      name,
      url,
      // The editor leaves out what is undefined.
      fingerprint: fingerprint === "" ? undefined : fingerprint,
      tlsPin,
    }));
    await workspace
      .getConfiguration(SECTION)
      .update(SETTINGS.servers, written, ConfigurationTarget.Global);
  }
}
