import type { ServerStatus } from "@rport/protocol/serverStatus";
import {
  md5Fingerprint,
  type ServerKey,
  serverKeyFromSeed,
  sha256Fingerprint,
} from "@rport/protocol/wire/serverKey";
import { Adoptions } from "./adoption/adoptions.ts";
import { type Auditing, openAuditing } from "./audit/auditing.ts";
import { lastNumbers } from "./audit/lastNumbers.ts";
import { Refusals } from "./clients/refusals.ts";
import type { EventHub } from "./events/hub.ts";
import type { Touch } from "./events/sources.ts";
import { openAccounts } from "./opening/openAccounts.ts";
import { type Administration, openAdministration } from "./opening/openAdministration.ts";
import { type Bounds, openBounds } from "./opening/openBounds.ts";
import { type FilesToFetch, openDownloads } from "./opening/openDownloads.ts";
import { openEvents } from "./opening/openEvents.ts";
import { openPairingTargets } from "./opening/openPairingTargets.ts";
import { openRecords, type Records } from "./opening/openRecords.ts";
import { type OpenedTerminals, openTerminals } from "./opening/openTerminals.ts";
import { openTunnels, type Tunnels } from "./opening/openTunnels.ts";
import type { ServicesOptions } from "./opening/servicesOptions.ts";
import { PairingService } from "./pairing/pairingService.ts";
import { Pairings } from "./pairing/pairings.ts";
import type { EmbeddedTarget } from "./pairing/targets/embedded.ts";
import { type StatusFacts, serverStatus } from "./status.ts";
import { openStore, type Store } from "./store/store.ts";
import type { Accounts } from "./users/accounts.ts";

/** Everything behind the faces. */
export interface Services extends Records, Tunnels, OpenedTerminals, Bounds, FilesToFetch {
  readonly paths: Store["paths"];
  readonly requireHeld: Store["requireHeld"];
  /** How many changes that were made are known to be lost, and were given up at this start. */
  readonly lostChanges: Store["lostChanges"];
  readonly database: Store["database"];
  /** The people who may use this server. */
  readonly accounts: Accounts;
  readonly serverKey: ServerKey;
  readonly fingerprints: { readonly sha256: string; readonly md5: string };
  readonly adoptions: Adoptions;
  readonly pairings: Pairings;
  /** Opens pairings and ends them. */
  readonly pairingService: PairingService;
  /** What hosts fetch from this server when they are paired. */
  readonly embedded: EmbeddedTarget;
  readonly refusals: Refusals;
  readonly auditing: Auditing;
  /** What administrators do with people. */
  readonly administration: Administration;
  readonly hub: EventHub;
  readonly status: () => ServerStatus;
}

/** Where agents reach this server, who gets through to it, and how it speaks TLS. */
export type Whereabouts = Pick<StatusFacts, "serverUrls" | "listensTo" | "certificates" | "tlsPin">;

/**
 * Opens everything behind the faces, in order; `opened` closes it in the opposite one. `where` is
 * asked when a status is shown, because a port may be known only later.
 */
export async function openServices(
  options: ServicesOptions,
  where: () => Whereabouts,
  opened: AsyncDisposableStack,
): Promise<Services> {
  const { clock, log, serverUrls } = options;
  const { limits, sockets } = openBounds(options);
  let hub: EventHub | undefined;
  const touch: Touch = (entity, id) => hub?.touch(entity, id);
  const store = await openDataDirectory(options, opened);
  const auditing = await openAuditLog(options, { store, limits }, opened);
  const accounts = await openAccounts(options, { store, auditing, limits, touch }, opened);
  const serverKey = serverKeyFromSeed(store.identity.serverKeySeed);
  const fingerprints = fingerprintsOf(serverKey);
  const { agentFiles, downloads } = await openDownloads(options, { limits, sockets, serverKey });
  const tlsPin = () => where().tlsPin;
  const fetched = { agentFiles, md5Fingerprint: fingerprints.md5, tlsPin };
  const { embedded, targets } = openPairingTargets(options, fetched, opened);
  const events = auditing.pairings;
  const pairings = new Pairings({ targets, clock, log, touch, events });
  opened.defer(() => pairings.close());
  const kept = { store, auditing, pairings, people: accounts.ledger, limits, touch };
  const records = await openRecords(options, kept, opened);
  const { registry, presence, credentials } = records;
  const deps = { store, registry, credentials, presence, auditing, sockets, limits, touch };
  const open = openTunnels(options, deps, opened);
  const { tunnels } = open;
  const { ledger } = accounts;
  const terminals = openTerminals(options, { ...records, store, ledger, auditing, limits }, opened);
  const { sha256: fingerprint } = fingerprints;
  const minting = { credentials, pairings, targets, limits, events };
  const pairingService = new PairingService({ ...minting, fingerprint, serverUrls, clock, log });
  opened.defer(() => pairingService.close());
  const people = { accounts, auditing, credentials, pairings, pairingService, limits };
  const administration = openAdministration(options, people, opened);
  const adoptions = new Adoptions({ store: store.edits, registry, credentials, tunnels });
  const refusals = new Refusals({ clock, touch });
  opened.defer(() => refusals.close());
  const status = () => statusOf({ registry, sockets, fingerprints, agentFiles }, options, where());
  const seen = { store, records, accounts, tunnels, pairings, refusals, status };
  hub = openEvents({ ...seen, limits, clock, log }, opened);
  return {
    paths: store.paths,
    requireHeld: store.requireHeld,
    lostChanges: store.lostChanges,
    database: store.database,
    accounts,
    limits,
    sockets,
    serverKey,
    fingerprints,
    ...records,
    ...open,
    ...terminals,
    adoptions,
    pairings,
    pairingService,
    embedded,
    refusals,
    agentFiles,
    downloads,
    auditing,
    administration,
    hub,
    status,
  };
}

function statusOf(
  {
    registry,
    sockets,
    fingerprints,
    agentFiles: { targets: agentTargets },
  }: Pick<Services, "registry" | "sockets" | "fingerprints" | "agentFiles">,
  { passwordMinLength }: Pick<ServicesOptions, "passwordMinLength">,
  where: Whereabouts,
): ServerStatus {
  const { counts } = registry;
  const connections = sockets.counts;
  const facts = { counts, connections, fingerprints, passwordMinLength, agentTargets };
  return serverStatus({ ...facts, ...where });
}

async function openDataDirectory(
  { dataDir: directory, keySeed, acceptLostChanges, onMoved, clock, log }: ServicesOptions,
  opened: AsyncDisposableStack,
): Promise<Store> {
  const store = await openStore({
    directory,
    keySeed,
    knownNumbers: ({ audit }, { auditKey }) => lastNumbers(audit, auditKey),
    acceptLostChanges,
    onMoved,
    clock,
    log,
  });
  opened.defer(() => store.close());
  return store;
}

async function openAuditLog(
  { clock, log, openAuditFile: openFile }: ServicesOptions,
  { store, limits }: { readonly store: Store; readonly limits: Bounds["limits"] },
  opened: AsyncDisposableStack,
): Promise<Auditing> {
  const { paths, identity } = store;
  const auditing = await openAuditing({
    directory: paths.audit,
    indexFile: paths.auditIndex,
    key: identity.auditKey,
    lastNumbers: store.lastNumbers,
    limits,
    clock,
    log,
    openFile,
    requireHeld: store.requireHeld,
  });
  opened.defer(() => auditing.close());
  return auditing;
}

/** SHA-256 and MD5 form of the server's key. */
function fingerprintsOf(serverKey: ServerKey): Services["fingerprints"] {
  const publicKey = serverKey.getPublicSSH();
  return { sha256: sha256Fingerprint(publicKey), md5: md5Fingerprint(publicKey) };
}
