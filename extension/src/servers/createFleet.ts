import { systemClock } from "../support/clock.ts";
import { processEnvironment } from "../support/environment.ts";
import type { Log } from "../support/log.ts";
import type { Redactor } from "../support/redact.ts";
import type { Tunnels } from "../tunnels/localTunnel.ts";
import { accessTo } from "./access.ts";
import type { ServerConfig } from "./config.ts";
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
  const { log, redactor, settings, tokens, tunnels } = deps;
  const { authorities, fetch } = deps.trust;
  const createServer = (config: ServerConfig) =>
    new Server({
      config,
      access: accessTo(config, { environment: processEnvironment, tokens, redactor, authorities }),
      fetch,
      clock: systemClock,
      log,
      random: Math.random,
      rememberFingerprint(fingerprint) {
        const now = settings.read().find(({ url }) => url === config.url) ?? config;
        void settings.put({ ...now, fingerprint });
      },
    });
  return new Fleet({ tunnels, createServer });
}
