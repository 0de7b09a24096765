import type { ClientId } from "@rport/protocol/ids";
import type { ClientGrants } from "../access/clientGrants.ts";
import { ClientGroups, type ClientGroupsDeps } from "../access/clientGroups.ts";
import { GroupAccess } from "../access/groupAccess.ts";
import { SeenParams } from "../access/seenParams.ts";
import { Sights } from "../access/sights.ts";
import type { Auditing } from "../audit/auditing.ts";
import type { LiveSession } from "../clients/liveSession.ts";
import { ClientViews } from "../clients/registry/clientViews.ts";
import { LocalPresence } from "../clients/registry/presence.ts";
import { ClientRegistry } from "../clients/registry/registry.ts";
import type { Flood } from "../credentials/admission/floods.ts";
import { Credentials } from "../credentials/credentials.ts";
import type { PairingPort } from "../credentials/ports.ts";
import type { Touch } from "../events/sources.ts";
import type { Limits } from "../limits/limits.ts";
import type { Log } from "../platform/log.ts";
import type { Store } from "../store/store.ts";
import type { ClientAccess } from "../users/clientAccess.ts";
import { openGrants } from "./openGrants.ts";
import { openListedGroups } from "./openListedGroups.ts";
import type { ServicesOptions } from "./servicesOptions.ts";

/** What the records stand on. */
export interface RecordsDeps {
  readonly store: Store;
  readonly auditing: Auditing;
  readonly pairings: PairingPort;
  readonly people: ClientGroupsDeps["people"];
  readonly limits: Limits;
  readonly touch: Touch;
}

/** The clients, and what people call the credentials that they sign in with. */
export interface Records {
  readonly registry: ClientRegistry;
  readonly presence: LocalPresence<LiveSession>;
  /** Who may see which clients. */
  readonly grants: ClientGrants;
  readonly clientGroups: ClientGroups;
  readonly access: ClientAccess;
  /** What users are shown in events and in the status. */
  readonly sights: Sights;
  /** What they are shown of what groups of clients have in common. */
  readonly seenParams: SeenParams;
  /** Clients as people see them. */
  readonly clients: ClientViews;
  readonly credentials: Credentials;
}

/** Reads the records, who follow the store from then on; `opened` closes them. */
export async function openRecords(
  { passwordMinLength, clock, log }: ServicesOptions,
  { store, auditing, pairings, people, limits, touch }: RecordsDeps,
  opened: AsyncDisposableStack,
): Promise<Records> {
  const { edits } = store;
  const presence = new LocalPresence<LiveSession>();
  const registry = await ClientRegistry.open({
    store: edits,
    presence,
    clock,
    log,
    touch,
    limits,
  });
  opened.defer(() => registry.close());
  const credentials = await Credentials.open({
    store: edits,
    clients: registry,
    sessions: presence,
    pairings,
    verifierKey: store.identity.verifierKey,
    passwordMinLength,
    rotationEvents: auditing.rotations,
    onFlood: (flood) => tellFlood(flood, auditing, log),
    limits,
    clock,
    log,
    touch,
  });
  opened.defer(() => credentials.close());
  const isConnected = (id: ClientId) => presence.connected(id) !== undefined;
  const grants = await openGrants({ store: edits, clients: registry, isConnected, clock, log });
  const groupsOf = (id: ClientId) => grants.groupsOf(id);
  const clients = new ClientViews({ registry, presence, credentials, groupsOf });
  await openListedGroups({ store: edits, clients: registry, people, clock, log });
  const settled = () => grants.settled();
  return {
    registry,
    presence,
    grants,
    clientGroups: new ClientGroups({ store: edits, people, clients: registry, settled }),
    access: new GroupAccess(grants),
    sights: new Sights(grants),
    seenParams: new SeenParams({ grants, recordOf: (id) => registry.record(id), clock }),
    clients,
    credentials,
  };
}

function tellFlood(flood: Flood, auditing: Auditing, log: Log): void {
  const { credentialId: credential, why: reason, address } = flood;
  const line =
    reason === "many-joins"
      ? "more new clients than usual come with a credential"
      : "more new clients come with a credential than it lets in";
  log.warn(line, { credential, reason, address });
  auditing.agents.flooded(flood);
}
