import type { AuthId } from "@rport/protocol/ids";
import { authIdSchema } from "@rport/protocol/ids";
import { vi } from "vitest";
import type { Flood } from "../../../backend/src/credentials/admission/floods.ts";
import { Credentials } from "../../../backend/src/credentials/credentials.ts";
import type { PairingPort } from "../../../backend/src/credentials/ports.ts";
import { noPairings } from "../../../backend/src/credentials/ports.ts";
import type { SecretEdit } from "../../../backend/src/store/secretEdit.ts";
import type { Store } from "../../../backend/src/store/store.ts";
import { openStore } from "../../../backend/src/store/store.ts";
import { FakeClock } from "../clock.ts";
import { testLog } from "../log.ts";
import { tempDirectory } from "../tempDirectory.ts";
import { FakeClients } from "./sessions.ts";

/** Credentials on a real store, with made-up clients. */
export interface CredentialsFixture extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly store: Store;
  readonly clients: FakeClients;
  readonly touched: string[];
  readonly floods: Flood[];
  readonly logLines: readonly string[];
  readonly credentials: Credentials;
  /**
   * The process stops right before, or right after, the first write that contains such an edit is
   * on disk; resolves then. What waits for that write waits for ever.
   */
  stopAt(when: "before" | "after", isIt: (edit: SecretEdit) => boolean): Promise<void>;
  /** What a new process finds: all that was in memory is gone, the connections too. */
  crash(): Promise<Credentials>;
}

/** Opens credentials in a directory of their own. */
export async function openCredentials(
  pairings: PairingPort = noPairings,
): Promise<CredentialsFixture> {
  const directory = await tempDirectory();
  const clock = new FakeClock();
  const { log, lines } = testLog();
  const store = await openStore({ directory: directory.path, clock, log });
  const clients = new FakeClients();
  const touched: string[] = [];
  const floods: Flood[] = [];
  const open = async (): Promise<Credentials> => {
    const { document, secretRows, identity } = store;
    const credentials = await Credentials.open({
      document,
      secretRows,
      verifierKey: identity.verifierKey,
      clock,
      log,
      touch: (entity, id) => touched.push(`${entity} ${id}`),
      passwordMinLength: 12,
      onFlood: (flood) => floods.push(flood),
    });
    credentials.attach({ sessions: clients, pairings });
    return credentials;
  };
  return {
    clock,
    store,
    clients,
    touched,
    floods,
    logLines: lines,
    credentials: await open(),
    stopAt: (when, isIt) => stopAt(store, when, isIt),
    crash: () => {
      vi.restoreAllMocks();
      clients.sessions.clear();
      return open();
    },
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

function stopAt(
  { secretRows }: Store,
  when: "before" | "after",
  isIt: (edit: SecretEdit) => boolean,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const apply = secretRows.apply.bind(secretRows);
  let hasStopped = false;
  vi.spyOn(secretRows, "apply").mockImplementation(async (edits) => {
    if (!hasStopped && !edits.some(isIt)) return await apply(edits);
    if (!hasStopped && when === "after") await apply(edits);
    hasStopped = true;
    resolve();
    await new Promise(() => undefined);
  });
  return promise;
}

/** An auth id, for tests. */
export function authId(text: string): AuthId {
  return authIdSchema.parse(text);
}
