import { UNKNOWN_REQUEST } from "@rport/protocol/agent";

/** What RPort's servers ask for that this agent does not do, in words for whoever asked there. */
const NOT_THERE: ReadonlyMap<string, string> = new Map([
  ["run_cmd", "remote commands and scripts are not there: this agent cannot run them"],
  ["refresh_updates_status", "the status of updates is not there: this agent does not look"],
  ["update_client_metadata", "tags and labels cannot be changed from the server at this agent"],
  ["upload", "file reception is not there: this agent takes no files"],
]);

/** The refusal of a request that is not in the table of this agent. */
export function whyUnknown(name: string): string {
  return NOT_THERE.get(name) ?? UNKNOWN_REQUEST;
}
