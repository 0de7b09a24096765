import { ALL_FEATURES, FEATURES } from "@rport/protocol/agent";
import type { TerminalOffer } from "@rport/protocol/terminal/terminal";
import { VERSION } from "@rport/protocol/version";
import type { Attributes } from "../config/attributes.ts";
import type { AgentConfig } from "../config/config.ts";
import { toNanoseconds } from "../config/duration.ts";
import type { HostFacts } from "../host/host.ts";

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

/** Who registers, and as what. */
export interface Registrant {
  readonly config: AgentConfig;
  readonly attributes: Attributes;
  readonly identity: Identity;
  readonly host: HostFacts;
  readonly terminal: TerminalOffer;
  /** Whether there may be some, also where none is offered for now: those that run are asked for and ended. */
  readonly mayHaveTerminals: boolean;
}

/** The JSON of `new_connection`, with fields of ours, which a Go server ignores. */
export function connectionRequest(registrant: Registrant): Buffer {
  const { config, attributes, identity, host, terminal, mayHaveTerminals } = registrant;
  const { hostKey, machineHint } = identity;
  const { tags, labels } = attributes;
  const name = config.name || (config.usesHostname ? host.Hostname : "");
  return Buffer.from(
    JSON.stringify({
      ID: identity.clientId,
      Name: name,
      SessionID: identity.sessionId,
      ...host,
      Version: VERSION,
      Tags: tags,
      Labels: labels,
      Remotes: config.remotes,
      ClientConfiguration: clientConfiguration(config, attributes, identity.clientId),
      Features: spoken(hostKey !== undefined, mayHaveTerminals),
      HostKey: hostKey,
      MachineHint: machineHint,
      Terminal: terminal,
    }),
  );
}

function spoken(hasHostKey: boolean, hasTerminals: boolean): readonly string[] {
  const spared = new Set<string>();
  if (!hasHostKey) spared.add(FEATURES.hostKey);
  if (!hasTerminals) spared.add(FEATURES.terminal);
  return ALL_FEATURES.filter((one) => !spared.has(one));
}

/**
 * The configuration in Go's form: durations in nanoseconds, and only what a
 * server makes use of or shows. No secrets: neither `auth` nor the proxy, which may have a
 * password.
 */
function clientConfiguration(
  config: AgentConfig,
  { tags, labels }: Attributes,
  clientId: string,
): object {
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
      tags,
      labels,
      tunnel_allowed: config.tunnelAllowed.map(({ written }) => written),
      tell_listening_ports: config.tellsListeningPorts,
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
