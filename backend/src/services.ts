import type { AuthId } from "@rport/protocol/ids";
import type { ServerStatus } from "@rport/protocol/model";
import { Relays } from "@rport/protocol/wire/relay";
import {
  md5Fingerprint,
  type ServerKey,
  serverKeyFromSeed,
  sha256Fingerprint,
} from "@rport/protocol/wire/serverKey";
import { Adoptions } from "./adoption/adoptions.ts";
import type { OpenSegmentFile } from "./audit/segments.ts";
import { type Auditing, openAuditing } from "./audit/service.ts";
import type { LiveSession } from "./clients/liveSession.ts";
import { Refusals } from "./clients/refusals.ts";
import { ClientViews } from "./clients/registry/clientViews.ts";
import { LocalPresence } from "./clients/registry/presence.ts";
import { ClientRegistry } from "./clients/registry/registry.ts";
import type { Flood } from "./credentials/admission/floods.ts";
import { Credentials } from "./credentials/credentials.ts";
import type { PairingPort } from "./credentials/ports.ts";
import { EventHub, type EventSources, type Touch } from "./events/hub.ts";
import { touchedBy } from "./events/touched.ts";
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
  readonly serverKey: ServerKey;
  readonly fingerprints: { readonly sha256: string; readonly md5: string };
  readonly credentials: Credentials;
  readonly registry: ClientRegistry;
  readonly presence: LocalPresence<LiveSession>;
  /** Clients as people see them. */
  readonly clients: ClientViews;
  readonly adoptions: Adoptions;
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
  const serverKey = serverKeyFromSeed(store.identity.serverKeySeed);
  const fingerprints = fingerprintsOf(serverKey);
  const agentFiles = new AgentFiles(options.agentFiles, log);

  let service: PairingService | undefined;
  const port: PairingPort = {
    openOf: (id, secrets) => service?.openOf(id, secrets) ?? 0,
    revokeOf: (id, secrets) => service?.revokeOf(id, secrets) ?? 0,
  };
  const records = await openRecords(options, { store, auditing, pairings: port, touch }, opened);
  const { registry, presence, clients, credentials } = records;
  const { tunnels, relays, dial } = openTunnels(options, { registry, presence, auditing, touch });
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
  service = pairings;
  const adoptions = new Adoptions({ store: store.edits, registry, credentials, tunnels });

  const refusals = new Refusals({ clock, touch });
  opened.defer(() => refusals.close());
  const status = (): ServerStatus =>
    serverStatus({ counts: registry.counts, fingerprints, serverUrls: urls() });
  const seen = { status, clients, credentials, tunnels, pairings, refusals };
  const watched = new EventHub(eventSources(seen), clock);
  hub = watched;
  store.edits.follow((edits) => {
    for (const [entity, id] of touchedBy(edits, registry)) watched.touch(entity, id);
  });
  opened.defer(() => watched.close());
  return {
    paths: store.paths,
    serverKey,
    fingerprints,
    credentials,
    registry,
    presence,
    clients,
    adoptions,
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
function fingerprintsOf(serverKey: ServerKey): Services["fingerprints"] {
  const publicKey = serverKey.getPublicSSH();
  return { sha256: sha256Fingerprint(publicKey), md5: md5Fingerprint(publicKey) };
}

interface RecordsDeps extends Pick<Services, "auditing" | "touch"> {
  readonly store: Store;
  readonly pairings: PairingPort;
}

type Records = Pick<Services, "registry" | "presence" | "clients" | "credentials">;

/** The clients, and what people call the credentials that they sign in with. */
async function openRecords(
  options: ServicesOptions,
  { store, auditing, pairings, touch }: RecordsDeps,
  opened: AsyncDisposableStack,
): Promise<Records> {
  const { passwordMinLength, clock, log } = options;
  const { edits } = store;
  const presence = new LocalPresence<LiveSession>();
  const registry = await ClientRegistry.open({ store: edits, presence, clock, log, touch });
  opened.defer(() => registry.close());
  const credentials = await Credentials.open({
    store: edits,
    clients: registry,
    sessions: presence,
    pairings,
    verifierKey: store.identity.verifierKey,
    passwordMinLength,
    rotationEvents: auditing.rotations,
    onFlood: (flood) => tellFlood(flood, { log, auditing }),
    clock,
    log,
    touch,
  });
  opened.defer(() => credentials.close());
  const clients = new ClientViews({ registry, presence, credentials });
  return { registry, presence, clients, credentials };
}

function tellFlood(
  flood: Flood,
  { log, auditing }: { readonly log: Log; readonly auditing: Auditing },
): void {
  const { credentialId: credential, why: reason, address } = flood;
  log.warn("more new clients come with a credential than it lets in", {
    credential,
    reason,
    address,
  });
  auditing.agents.flooded(flood);
}

function openTunnels(
  { clock, log, tunnels }: ServicesOptions,
  {
    registry,
    presence,
    auditing,
    touch,
  }: Pick<Services, "registry" | "presence" | "auditing" | "touch">,
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
  return { tunnels: service, relays, dial: createDial((id) => presence.live(id), linkDial) };
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
  "status" | "clients" | "credentials" | "tunnels" | "pairings" | "refusals"
>;

/** Where editors' snapshots and deltas are read from. */
function eventSources(seen: Seen): EventSources {
  const { credentials } = seen;
  return {
    server: seen.status,
    client: seen.clients,
    credential: {
      list: () => credentials.list().flatMap(({ id }) => credentials.view(id) ?? []),
      get: (id: AuthId) => credentials.view(id),
    },
    tunnel: seen.tunnels,
    pairing: seen.pairings,
    join: credentials.joins,
    refusal: seen.refusals,
  };
}
