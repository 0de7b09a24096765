import type { ClientId } from "@rport/protocol/ids";
import type { ClientGroupId } from "@rport/protocol/people/clientGroup";
import type { ClientGroupRecord } from "../store/records/clientGroupRecord.ts";

/** What it is looked up in which terminals are recorded. */
export interface RecordingPolicyDeps {
  /** Of the configuration: whether all are. */
  readonly recordsAll: boolean;
  readonly groupsOf: (clientId: ClientId) => readonly ClientGroupId[];
  readonly clientGroup: (id: ClientGroupId) => ClientGroupRecord | undefined;
}

/** Whether a terminal that is opened on a client now is recorded: the server says so, or a group that the client is in. */
export function isRecordingWanted(
  { recordsAll, groupsOf, clientGroup }: RecordingPolicyDeps,
  clientId: ClientId,
): boolean {
  const isWanted = (id: ClientGroupId) => clientGroup(id)?.record_terminals === true;
  return recordsAll || groupsOf(clientId).some(isWanted);
}
