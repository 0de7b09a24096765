import { EmbeddedEdits } from "../../../../backend/src/store/embeddedEdits.ts";
import { openStore } from "../../../../backend/src/store/store.ts";
import { FakeClock } from "../../../support/clock.ts";
import { FaultyDisk } from "../../../support/faults/faultyDisk.ts";
import { FaultyStore } from "../../../support/faults/faultyStore.ts";
import { testLog } from "../../../support/log.ts";
import { describeEditStore, type TriedStore } from "../../../support/store/storeConformance.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

/** A store on a directory of its own, seen as `face` shows it. */
async function open(face: (edits: EmbeddedEdits) => TriedStore["store"]): Promise<TriedStore> {
  await using opened = new AsyncDisposableStack();
  const directory = opened.use(await tempDirectory());
  const { log } = testLog();
  const clock = new FakeClock();
  const store = await openStore({ directory: directory.path, clock, log });
  opened.defer(() => store.close());
  const start = () => {
    const { document, database } = new FaultyDisk(store);
    const { secretRows, clientRows } = store;
    return new EmbeddedEdits({ document, database, secretRows, clientRows, clock, log });
  };
  const closing = opened.move();
  return {
    store: face(start()),
    reopen: async () => face(start()),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

describeEditStore("one document and one SQLite file", async () => {
  await using opened = new AsyncDisposableStack();
  const directory = opened.use(await tempDirectory());
  const start = () =>
    openStore({ directory: directory.path, clock: new FakeClock(), log: testLog().log });
  let current = await start();
  opened.defer(() => current.close());
  const closing = opened.move();
  return {
    store: current.edits,
    async reopen() {
      await current.close();
      current = await start();
      return current.edits;
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
});

describeEditStore("the tests' faulty disk, without a fault", () => open((edits) => edits));

describeEditStore("the tests' faulty store, without a fault", () =>
  open((edits) => new FaultyStore(edits)),
);
