import { FEATURES } from "@rport/protocol/agent";
import { VERSION } from "@rport/protocol/version";
import type { AgentConfig } from "../config/config.ts";
import { toNanoseconds } from "../config/duration.ts";
import type { HostFacts } from "../host/host.ts";
import { OUR_FEATURES } from "../requests/features.ts";

/** Who this agent is on its server. */
export interface Identity {
  /** Empty only when the configuration leaves the choice to the server. */
  readonly clientId: string;
  /** One per process, so that the server knows a reconnect from a second agent. */
  readonly sessionId: string;
  /** The public key of this host; undefined: it has none. */
  readonly hostKey?: string | undefined;
  /** Undefined on machines that have no id of their own. */
  readonly machineHint?: string | undefined;
}

/** The JSON of `new_connection`, with fields of ours, which a Go server ignores. */
export function connectionRequest(
  config: AgentConfig,
  identity: Identity,
  host: HostFacts,
): Buffer {
  const { hostKey, machineHint } = identity;
  const name = config.name || (config.usesHostname ? host.Hostname : "");
  return Buffer.from(
    JSON.stringify({
      ID: identity.clientId,
      Name: name,
      SessionID: identity.sessionId,
      ...host,
      Version: VERSION,
      Tags: config.tags,
      Labels: config.labels,
      Remotes: config.remotes,
      ClientConfiguration: clientConfiguration(config, identity.clientId),
      Features: OUR_FEATURES.filter((one) => one !== FEATURES.hostKey || hostKey !== undefined),
      HostKey: hostKey,
      MachineHint: machineHint,
    }),
  );
}

/**
 * The configuration in Go's form: durations in nanoseconds, and only what a
 * server makes use of or shows. No secrets: neither `auth` nor the proxy, which may have a password.
 */
function clientConfiguration(config: AgentConfig, clientId: string): object {
  const [server, ...fallbacks] = config.servers;
  return {
    client: {
      server,
      fallback_servers: fallbacks,
      server_switchback_interval: toNanoseconds(config.switchbackMs),
      fingerprint: config.fingerprint,
      id: clientId,
      name: config.name,
      use_system_id: config.usesSystemId,
      use_hostname: config.usesHostname,
      tags: config.tags,
      labels: config.labels,
      tunnel_allowed: config.tunnelAllowed.map(({ written }) => written),
      data_dir: config.dataDir,
    },
    connection: {
      keep_alive: toNanoseconds(config.keepAliveMs),
      keep_alive_timeout: toNanoseconds(config.keepAliveTimeoutMs),
      max_retry_count: -1,
      hostname: config.hostHeader,
    },
    remote_commands: { enabled: false, allow: null, deny: null, order: null },
    remote_scripts: { enabled: false },
    monitoring: { enabled: false, interval: 0, lan_card: null, wan_card: null },
    file_reception: { enabled: false, protected: null },
    interpreter_aliases: {},
    interpreter_aliases_encodings: {},
  };
}
