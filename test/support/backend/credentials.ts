import type { AuthId } from "@rport/protocol/ids";
import { authIdSchema } from "@rport/protocol/ids";
import { RotationEvents } from "../../../backend/src/audit/rotationEvents.ts";
import type { Flood } from "../../../backend/src/credentials/admission/floods.ts";
import { Credentials } from "../../../backend/src/credentials/credentials.ts";
import type { PairingPort } from "../../../backend/src/credentials/ports.ts";
import { touchedBy } from "../../../backend/src/events/touched.ts";
import { Limits } from "../../../backend/src/limits/limits.ts";
import type { SetLimits } from "../../../backend/src/limits/limitTable.ts";
import { EmbeddedEdits } from "../../../backend/src/store/embeddedEdits.ts";
import type { Store } from "../../../backend/src/store/store.ts";
import { openStore } from "../../../backend/src/store/store.ts";
import { FakeClock } from "../clock.ts";
import { FaultyDisk } from "../faults/faultyDisk.ts";
import { FaultyStore } from "../faults/faultyStore.ts";
import { testLog } from "../log.ts";
import { tempDirectory } from "../tempDirectory.ts";
import { noAudit } from "./noAudit.ts";
import { TestClients } from "./sessions.ts";

/** Nobody pairs anything. */
export const noPairings: PairingPort = { openOf: () => 0, revokeOf: () => 0 };

/** Credentials and clients on a real store, with made-up agents. */
export interface CredentialsFixture extends AsyncDisposable {
  readonly clock: FakeClock;
  /** The files; to be looked at. */
  readonly store: Store;
  /** What the process writes through, until it crashes. */
  readonly edits: FaultyStore;
  /** What is below that. */
  readonly disk: FaultyDisk;
  readonly clients: TestClients;
  readonly touched: string[];
  readonly floods: Flood[];
  readonly logLines: readonly string[];
  readonly credentials: Credentials;
  /** What a new process finds: all that was in memory is gone, the connections too. */
  crash(): Promise<Credentials>;
}

/** Opens credentials in a directory of their own. */
export async function openCredentials(
  pairings: PairingPort = noPairings,
  setLimits: SetLimits = {},
): Promise<CredentialsFixture> {
  const directory = await tempDirectory();
  const clock = new FakeClock();
  const { log, lines } = testLog();
  const store = await openStore({ directory: directory.path, clock, log });
  const touched: string[] = [];
  const floods: Flood[] = [];
  const touch = (entity: string, id: string) => void touched.push(`${entity} ${id}`.trim());

  const limits = new Limits({ values: setLimits, clock, log });
  const clients = new TestClients();
  const start = async () => {
    const disk = new FaultyDisk(store);
    const { document, database } = disk;
    const { secretRows, clientRows } = store;
    const edits = new FaultyStore(
      new EmbeddedEdits({ document, database, secretRows, clientRows, clock, log }),
    );
    await clients.open({ store: edits, clock, log, touch, limits });
    const { registry, presence } = clients;
    const credentials = await Credentials.open({
      store: edits,
      clients: registry,
      sessions: presence,
      pairings,
      verifierKey: store.identity.verifierKey,
      clock,
      log,
      touch,
      passwordMinLength: 12,
      onFlood: (flood) => floods.push(flood),
      limits,
      rotationEvents: new RotationEvents(noAudit),
    });
    edits.follow((done) => {
      for (const [entity, id] of touchedBy(done, registry)) touch(entity, id);
    });
    return { disk, edits, credentials };
  };
  const { disk, edits, credentials } = await start();
  return {
    clock,
    store,
    edits,
    disk,
    clients,
    touched,
    floods,
    logLines: lines,
    credentials,
    crash: async () => (await start()).credentials,
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** An auth id, for tests. */
export function authId(text: string): AuthId {
  return authIdSchema.parse(text);
}
