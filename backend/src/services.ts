import type { AuthId } from "@rport/protocol/ids";
import type { ServerStatus } from "@rport/protocol/model";
import { Relays } from "@rport/protocol/wire/relay";
import {
  type HostKey,
  hostKeyFromSeed,
  md5Fingerprint,
  sha256Fingerprint,
} from "@rport/protocol/wire/serverKey";
import type { OpenSegmentFile } from "./audit/segments.ts";
import { type Auditing, openAuditing } from "./audit/service.ts";
import { Refusals } from "./clients/refusals.ts";
import { ClientRegistry } from "./clients/registry/registry.ts";
import { Credentials } from "./credentials/credentials.ts";
import { EventHub, type EventSources, type Touch } from "./events/hub.ts";
import { AgentFiles } from "./http/agentFiles.ts";
import { EmbeddedTarget } from "./pairing/embedded.ts";
import { PairingService } from "./pairing/service.ts";
import type { PairingTarget } from "./pairing/target.ts";
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
  readonly hostKey: HostKey;
  readonly fingerprints: { readonly sha256: string; readonly md5: string };
  readonly credentials: Credentials;
  readonly registry: ClientRegistry;
  readonly tunnels: TunnelService;
  /** Shares the process fairly among everything that is carried to and from agents. */
  readonly relays: Relays;
  readonly dial: Dial;
  readonly pairings: PairingService;
  /** What hosts fetch from this server when they are paired. */
  readonly deposits: EmbeddedTarget;
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
  const store = await openDataDirectory(options, opened);
  const auditing = await openAuditLog(options, store, opened);
  const serverKey = hostKeyFromSeed(store.identity.hostKeySeed);
  const fingerprints = fingerprintsOf(serverKey);
  const agentFiles = new AgentFiles(options.agentFiles, log);

  const { credentials, registry } = await openRecords(options, { store, auditing, touch }, opened);
  const { tunnels, relays, dial } = openTunnels(options, { registry, auditing, touch });
  opened.defer(() => tunnels.close());
  // Read at each pairing: a new build of the agent's files brings a new script.
  const scriptSha256 = () => agentFiles.scriptSha256;
  const deposits = new EmbeddedTarget({ scriptSha256, clock, log });
  opened.defer(() => deposits.close());
  const pairings = openPairings(options, {
    credentials,
    target: deposits,
    fingerprint: fingerprints.sha256,
    auditing,
    touch,
  });
  opened.defer(() => pairings.close());
  credentials.attach({ sessions: registry, pairings });

  const refusals = new Refusals({ clock, touch });
  opened.defer(() => refusals.close());
  const status = (): ServerStatus =>
    serverStatus({ counts: registry.counts, fingerprints, serverUrls: urls() });
  const seen = { status, registry, credentials, tunnels, pairings, refusals };
  const watched = new EventHub(eventSources(seen), clock);
  hub = watched;
  opened.defer(() => watched.close());
  return {
    paths: store.paths,
    hostKey: serverKey,
    fingerprints,
    credentials,
    registry,
    tunnels,
    relays,
    dial,
    pairings,
    deposits,
    refusals,
    agentFiles,
    auditing,
    hub: watched,
    touch,
    status,
  };
}

async function openDataDirectory(
  { dataDir: directory, keySeed, clock, log }: ServicesOptions,
  opened: AsyncDisposableStack,
): Promise<Store> {
  const store = await openStore({ directory, keySeed, clock, log });
  opened.defer(() => store.close());
  return store;
}

async function openAuditLog(
  { clock, log, openAuditFile: openFile }: ServicesOptions,
  { paths, identity, database }: Store,
  opened: AsyncDisposableStack,
): Promise<Auditing> {
  const auditing = await openAuditing({
    directory: paths.audit,
    key: identity.auditKey,
    database,
    clock,
    log,
    openFile,
  });
  opened.defer(() => auditing.close());
  return auditing;
}

/** SHA-256 and MD5 form of the server's key. */
function fingerprintsOf(serverKey: HostKey): Services["fingerprints"] {
  const publicKey = serverKey.getPublicSSH();
  return { sha256: sha256Fingerprint(publicKey), md5: md5Fingerprint(publicKey) };
}

interface RecordsDeps extends Pick<Services, "auditing" | "touch"> {
  readonly store: Store;
}

/** What people call credentials, and the clients that sign in with them. */
async function openRecords(
  { passwordMinLength, clock, log }: ServicesOptions,
  { store, auditing, touch }: RecordsDeps,
  opened: AsyncDisposableStack,
): Promise<Pick<Services, "credentials" | "registry">> {
  const credentials = await Credentials.open({
    document: store.document,
    secretRows: store.secretRows,
    verifierKey: store.identity.verifierKey,
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
    clock,
    log,
    touch,
  });
  opened.defer(() => credentials.close());
  const registry = await ClientRegistry.open({
    rows: store.clientRows,
    secretOf: (id, secretId) => credentials.clientSecret(id, secretId),
    rotationOf: (id, clientId) => credentials.rotationState(id, clientId),
    onRecordRemoved: (id, client) => credentials.onRecordRemoved(id, client),
    onRecordLeft: (id) => credentials.onClientsChanged(id),
    onRecordJoined: (authId, id) => credentials.onClientRecorded(authId, id),
    clock,
    log,
    touch,
  });
  opened.defer(() => registry.close());
  return { credentials, registry };
}

function openTunnels(
  { clock, log, tunnels }: ServicesOptions,
  { registry, auditing, touch }: Pick<Services, "registry" | "auditing" | "touch">,
): Pick<Services, "tunnels" | "relays" | "dial"> {
  const linkDial = createLinkDial(clock);
  const relays = new Relays();
  const service = new TunnelService({
    clients: registry,
    dial: linkDial,
    relays,
    bind: tunnels.bind,
    range: tunnels.ports,
    clock,
    log,
    touch,
    events: auditing.tunnels,
  });
  return { tunnels: service, relays, dial: createDial((id) => registry.live(id), linkDial) };
}

interface PairingsDeps extends Pick<Services, "credentials" | "auditing" | "touch"> {
  readonly target: PairingTarget;
  /** The server key's, in `SHA256:` form. */
  readonly fingerprint: string;
}

function openPairings(
  { clock, log, serverUrls }: ServicesOptions,
  { credentials, target, fingerprint, auditing, touch }: PairingsDeps,
): PairingService {
  return new PairingService({
    credentials,
    target,
    fingerprint,
    serverUrls,
    clock,
    log,
    touch,
    events: auditing.pairings,
  });
}

type Seen = Pick<
  Services,
  "status" | "registry" | "credentials" | "tunnels" | "pairings" | "refusals"
>;

/** Where editors' snapshots and deltas are read from. */
function eventSources(seen: Seen): EventSources {
  const { credentials } = seen;
  return {
    server: seen.status,
    client: seen.registry,
    credential: {
      list: () => credentials.list().flatMap(({ id }) => credentials.view(id) ?? []),
      get: (id: AuthId) => credentials.view(id) ?? undefined,
    },
    tunnel: seen.tunnels,
    pairing: seen.pairings,
    join: credentials.joins,
    refusal: seen.refusals,
  };
}
