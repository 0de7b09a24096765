import type { AuthId } from "@rport/protocol/ids";
import type { ServerStatus } from "@rport/protocol/model";
import { Relays } from "@rport/protocol/wire/relay";
import {
  md5Fingerprint,
  type ServerKey,
  serverKeyFromSeed,
  sha256Fingerprint,
} from "@rport/protocol/wire/serverKey";
import type { OpenSegmentFile } from "./audit/segments.ts";
import { type Auditing, openAuditing } from "./audit/service.ts";
import { Refusals } from "./clients/refusals.ts";
import { ClientRegistry } from "./clients/registry/registry.ts";
import { Credentials } from "./credentials/credentials.ts";
import { EventHub, type EventSources, type Touch } from "./events/hub.ts";
import { AgentFiles } from "./http/agentFiles.ts";
import { PairingService } from "./pairing/service.ts";
import type { Clock } from "./platform/clock.ts";
import type { Log } from "./platform/log.ts";
import { serverStatus } from "./status.ts";
import { openStore, type Store } from "./store/store.ts";
import { createDial, createLinkDial, type Dial } from "./tunnels/dialer.ts";
import type { PortRange } from "./tunnels/ports.ts";
import { TunnelService } from "./tunnels/service.ts";

/** What the services are made from. */
export interface ServicesOptions {
  readonly dataDir: string;
  /** RPort's `key_seed`; undefined: the key in the data directory. */
  readonly keySeed?: string | undefined;
  /** Where agents reach this server; empty: where each request came in. */
  readonly serverUrls: readonly string[];
  readonly tunnels: { readonly bind: string; readonly ports: PortRange };
  readonly pairing: {
    /** How long a pairing works when its maker does not say. */
    readonly ttlS: number;
  };
  readonly passwordMinLength: number;
  /** A directory that a build filled for the installers. */
  readonly agentFiles: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Replaces the files of the audit log, for tests. */
  readonly openAuditFile?: OpenSegmentFile | undefined;
}

/** Everything behind the faces. */
export interface Services {
  readonly paths: Store["paths"];
  readonly serverKey: ServerKey;
  readonly fingerprints: { readonly sha256: string; readonly md5: string };
  readonly credentials: Credentials;
  readonly registry: ClientRegistry;
  readonly tunnels: TunnelService;
  readonly dial: Dial;
  readonly pairings: PairingService;
  readonly refusals: Refusals;
  readonly agentFiles: AgentFiles;
  readonly auditing: Auditing;
  readonly hub: EventHub;
  readonly touch: Touch;
  readonly status: () => ServerStatus;
}

/**
 * Opens everything behind the faces, in order; `opened` closes it in the opposite one. `urls` is
 * asked when a status is shown, because a port may be known only later.
 */
export async function openServices(
  options: ServicesOptions,
  urls: () => readonly string[],
  opened: AsyncDisposableStack,
): Promise<Services> {
  const { clock, log } = options;
  let hub: EventHub | undefined;
  const touch: Touch = (entity, id) => hub?.touch(entity, id);
  const directory = options.dataDir;
  const store = await openStore({ directory, keySeed: options.keySeed, clock, log });
  opened.defer(() => store.close());

  const { serverKeySeed, verifierKey, auditKey } = store.identity;
  const { database } = store;
  const auditing = await openAuditing({
    directory: store.paths.audit,
    key: auditKey,
    database,
    clock,
    log,
    openFile: options.openAuditFile,
  });
  opened.defer(() => auditing.close());
  const serverKey = serverKeyFromSeed(serverKeySeed);
  const publicKey = serverKey.getPublicSSH();
  const fingerprints = { sha256: sha256Fingerprint(publicKey), md5: md5Fingerprint(publicKey) };
  const { passwordMinLength } = options;
  const { document, secretRows, clientRows } = store;
  const common = { clock, log, touch };
  const credentials = await Credentials.open({
    document,
    secretRows,
    verifierKey,
    passwordMinLength,
    rotationEvents: auditing.rotations,
    onFlood(flood) {
      const { credentialId, reason, address } = flood;
      log.warn("more new clients come with a credential than it lets in", {
        credential: credentialId,
        reason,
        address,
      });
      auditing.agents.flooded(flood);
    },
    ...common,
  });
  opened.defer(() => credentials.close());
  const registry = await ClientRegistry.open({
    rows: clientRows,
    secretOf: (id, secretId) => credentials.clientSecret(id, secretId),
    rotationOf: (id, clientId) => credentials.rotationState(id, clientId),
    onRecordRemoved: (id, client) => credentials.onRecordRemoved(id, client),
    onRecordLeft: (id) => credentials.onClientsChanged(id),
    onRecordJoined: (authId, id) => credentials.onClientRecorded(authId, id),
    ...common,
  });
  opened.defer(() => registry.close());

  const { tunnels, dial } = openTunnels(options, { registry, touch, auditing });
  opened.defer(() => tunnels.close());
  const agentFiles = new AgentFiles(options.agentFiles, log);
  const own = { credentials, agentFiles, touch, fingerprints, auditing };
  const pairings = openPairings(options, own);
  opened.defer(() => pairings.close());
  credentials.attach({ sessions: registry, pairings });

  const status = (): ServerStatus =>
    serverStatus({ counts: registry.counts, fingerprints, serverUrls: urls() });
  const refusals = new Refusals({ clock, touch });
  opened.defer(() => refusals.close());
  const sources = { status, registry, credentials, tunnels, pairings, refusals };
  hub = new EventHub(eventSources(sources), clock);
  const watched = hub;
  opened.defer(() => watched.close());
  const { paths } = store;
  return {
    paths,
    serverKey,
    fingerprints,
    credentials,
    registry,
    tunnels,
    dial,
    pairings,
    refusals,
    agentFiles,
    auditing,
    hub,
    touch,
    status,
  };
}

function openTunnels(
  { clock, log, tunnels }: ServicesOptions,
  { registry, touch, auditing }: Pick<Services, "registry" | "touch" | "auditing">,
): Pick<Services, "tunnels" | "dial"> {
  const linkDial = createLinkDial(clock);
  const service = new TunnelService({
    clients: registry,
    dial: linkDial,
    relays: new Relays(),
    bind: tunnels.bind,
    range: tunnels.ports,
    clock,
    log,
    touch,
    events: auditing.tunnels,
  });
  return { tunnels: service, dial: createDial((id) => registry.live(id), linkDial) };
}

function openPairings(
  { clock, log, serverUrls }: ServicesOptions,
  own: Pick<Services, "credentials" | "agentFiles" | "touch" | "fingerprints" | "auditing">,
): PairingService {
  return new PairingService({
    credentials: own.credentials,
    fingerprint: own.fingerprints.sha256,
    // Read at each pairing: a new build of the agent's files brings a new script.
    get scriptSha256() {
      return own.agentFiles.scriptSha256;
    },
    serverUrls,
    clock,
    log,
    touch: own.touch,
    events: own.auditing.pairings,
  });
}

function eventSources({
  status,
  registry,
  credentials,
  tunnels,
  pairings,
  refusals,
}: Pick<
  Services,
  "status" | "registry" | "credentials" | "tunnels" | "pairings" | "refusals"
>): EventSources {
  return {
    server: status,
    client: registry,
    credential: {
      list: () => credentials.list().flatMap(({ id }) => credentials.view(id) ?? []),
      get: (id: AuthId) => credentials.view(id) ?? undefined,
    },
    tunnel: tunnels,
    pairing: pairings,
    join: credentials.joins,
    refusal: refusals,
  };
}
