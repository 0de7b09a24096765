/**
 * Opens the store in the directory of its first argument and changes it until it is killed.
 * Prints `open`, then `document <n>` and `row <n>` for each change that was acknowledged.
 * Exits with the start failure's code when the store cannot be opened.
 */

import { systemClock } from "../../../backend/src/platform/clock.ts";
import { createLog } from "../../../backend/src/platform/log.ts";
import { StartFailure } from "../../../backend/src/platform/startFailure.ts";
import type { Store } from "../../../backend/src/store/store.ts";
import { openStore } from "../../../backend/src/store/store.ts";
import { clientRecord } from "./records.ts";

const print = (line: string): boolean => process.stdout.write(`${line}\n`);

async function changeDocument(store: Store, from: number): Promise<void> {
  for (let n = from; ; n += 1) {
    const edits = store.document.data.credentials.map(({ id: credential }) => ({
      kind: "change" as const,
      credential,
      to: { label: String(n) },
    }));
    await store.edits.commit(edits);
    print(`document ${n}`);
  }
}

async function addRows(store: Store, from: number): Promise<void> {
  for (let n = from; ; n += 1) {
    await store.edits.commit([{ kind: "seen", record: clientRecord({ id: `client-${n}` }) }]);
    print(`row ${n}`);
  }
}

async function main(directory: string, from: number): Promise<void> {
  const log = createLog({ clock: systemClock, sink: console.error });
  const store = await openStore({ directory, clock: systemClock, log });
  print("open");
  await Promise.all([changeDocument(store, from), addRows(store, from)]);
}

main(process.argv[2] ?? "", Number(process.argv[3] ?? "0")).catch((caught: unknown) => {
  process.stderr.write(`${caught instanceof Error ? caught.message : String(caught)}\n`);
  process.exitCode = caught instanceof StartFailure ? caught.exitCode : 1;
});
