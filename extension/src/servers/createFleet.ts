import { t } from "@vscode/l10n";
import { window } from "vscode";
import { systemClock } from "../support/clock.ts";
import { describeError } from "../support/describeError.ts";
import { processEnvironment } from "../support/environment.ts";
import type { Log } from "../support/log.ts";
import type { Redactor } from "../support/redact.ts";
import { plainText } from "../support/text.ts";
import type { Tunnels } from "../tunnels/localTunnel.ts";
import { accessTo } from "./access.ts";
import { nameOf, type ServerConfig } from "./config.ts";
import { Fleet } from "./fleet.ts";
import { Server } from "./server.ts";
import type { ServerSettings } from "./settings.ts";
import type { Tokens } from "./tokens.ts";
import type { Trust } from "./trust/trust.ts";

/** What the servers of a window share. */
export interface CreateFleetDeps {
  readonly log: Log;
  readonly redactor: Redactor;
  readonly settings: ServerSettings;
  readonly tokens: Tokens;
  readonly tunnels: Tunnels;
  readonly trust: Trust;
}

/** The servers of a window; none is configured yet. */
export function createFleet(deps: CreateFleetDeps): Fleet {
  const { log, redactor, tokens, tunnels } = deps;
  const { authorities, fetch } = deps.trust;
  const createServer = (config: ServerConfig) =>
    new Server({
      config,
      access: accessTo(config, { environment: processEnvironment, tokens, redactor, authorities }),
      fetch,
      clock: systemClock,
      log,
      random: Math.random,
      rememberFingerprint: (fingerprint) => void remember(config.url, fingerprint, deps),
    });
  return new Fleet({ tunnels, createServer });
}

/** Never rejects: a key that cannot be remembered is logged and said, because the next window does not know it. */
async function remember(
  url: string,
  fingerprint: string,
  { settings, log }: Pick<CreateFleetDeps, "settings" | "log">,
): Promise<void> {
  try {
    await settings.edit(url, { fingerprint });
  } catch (error) {
    const why = describeError(error);
    log.error("the key of a server cannot be remembered", { server: url, why });
    const name = plainText(nameOf(url));
    void window.showErrorMessage(
      t("The key of {0} is not remembered, and the next window will not know it: {1}", name, why),
    );
  }
}
