import type { TerminalId } from "@rport/protocol/terminal/terminal";
import type { Auditing } from "../audit/auditing.ts";
import type { Limits } from "../limits/limits.ts";
import { openRecordingFile } from "../recordings/recordingFile.ts";
import { isRecordingWanted } from "../recordings/recordingPolicy.ts";
import { Recordings } from "../recordings/recordings.ts";
import type { Store } from "../store/store.ts";
import type { AccountLedger } from "../users/accounts/accountLedger.ts";
import type { Records } from "./openRecords.ts";
import type { ServicesOptions } from "./servicesOptions.ts";

/** What recordings of terminals stand on. */
export interface OpenedRecordingsDeps extends Pick<Records, "grants"> {
  readonly store: Pick<Store, "paths" | "requireHeld"> & {
    readonly identity: Pick<Store["identity"], "auditKey">;
  };
  readonly ledger: Pick<AccountLedger, "clientGroup">;
  readonly auditing: Pick<Auditing, "recordings">;
  readonly limits: Limits;
  /** Ends a terminal that has to be recorded and cannot be, with a sentence. */
  readonly stop: (id: TerminalId, reason: string) => void;
}

/** The recordings of terminals; `opened` ends those that are written. */
export function openRecordings(
  { recordsTerminals, openRecordingFile: openFile, clock, log }: ServicesOptions,
  { grants, store, ledger, auditing, limits, stop }: OpenedRecordingsDeps,
  opened: AsyncDisposableStack,
): Recordings {
  const policy = {
    recordsAll: recordsTerminals ?? false,
    groupsOf: grants.groupsOf.bind(grants),
    clientGroup: ledger.clientGroup.bind(ledger),
  };
  const recordings = new Recordings({
    directory: store.paths.recordings,
    auditKey: store.identity.auditKey,
    openFile: openFile ?? openRecordingFile,
    requireHeld: store.requireHeld,
    isWanted: (clientId) => isRecordingWanted(policy, clientId),
    onFailed: (id, { message }) => stop(id, message),
    events: auditing.recordings,
    limits,
    clock,
    log,
  });
  recordings.start();
  opened.defer(() => recordings.close());
  return recordings;
}
