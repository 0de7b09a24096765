import type { RecordingId, RecordingView } from "@rport/protocol/terminal/recording";
import type { Audit } from "../../audit/entry.ts";
import type { ListSearches } from "../../lists/listSearches.ts";
import type { ListSpec } from "../../lists/listSpec.ts";
import { RecentMap } from "../../platform/recentMap.ts";
import type { Recordings } from "../../recordings/recordings.ts";
import type { CallContext, Handlers } from "../endpoints.ts";

/** Readings under way that are known to be in the audit log. */
const READINGS_MAX = 1_000;

/** What the handlers of recordings need. */
export interface RecordingHandlerDeps {
  readonly recordings: Pick<Recordings, "all" | "metaOf" | "read" | "remove">;
  readonly audit: Pick<Audit, "record" | "ready">;
  readonly searches: Pick<ListSearches, "run">;
}

/** Every member may be searched and sorted by, but how it ended; each recording is sent whole. */
const recordingList: ListSpec<RecordingView> = {
  resource: "recordings",
  filters: {
    id: ({ id }) => id,
    terminal_id: ({ terminal_id: id }) => id,
    client_id: ({ client_id: client }) => client,
    hostname: ({ hostname }) => hostname,
    owner: ({ owner }) => owner,
    account: ({ account }) => account,
    started_at: ({ started_at: at }) => at,
    ended_at: ({ ended_at: at }) => at,
    state: ({ state }) => state,
  },
  times: ["started_at", "ended_at"],
  order: ({ started_at: at, id }) => `${at} ${id}`,
  sorts: {
    client_id: ({ client_id: client }) => client,
    hostname: ({ hostname }) => hostname,
    owner: ({ owner }) => owner,
    account: ({ account }) => account,
    started_at: ({ started_at: at }) => at,
    ended_at: ({ ended_at: at }) => at,
  },
  fields: {},
  defaultFields: [],
};

/** Serves the recordings of terminals. Whoever reads one is in the audit log before it is shown anything. */
export function recordingHandlers({
  recordings,
  audit,
  searches,
}: RecordingHandlerDeps): Pick<Handlers, "listRecordings" | "readRecording" | "deleteRecording"> {
  const readings = new RecentMap<string, true>(READINGS_MAX);

  /** Each reading from the begin has an entry, and so has one that goes on where none is known. */
  async function tell(id: RecordingId, context: CallContext, isBegin: boolean): Promise<void> {
    const { actor, user, address: remoteIp, requireRight } = context;
    const meta = await recordings.metaOf(id);
    const reading = `${actor.accountId} ${id}`;
    if (!isBegin && readings.has(reading)) return;
    await audit.ready();
    requireRight();
    await audit.record({
      application: "client.terminal.recording",
      action: "fetch",
      user,
      remoteIp,
      affectedId: id,
      clientId: meta?.clientId,
      clientHostname: meta?.hostname,
      request: { owner: meta?.ownerName },
    });
    readings.set(reading, true);
  }

  return {
    async listRecordings({ query }, { actor, requireRight }) {
      const items = await recordings.all();
      requireRight();
      return searches.run(actor, { items, query, spec: recordingList, row: (one) => one });
    },
    async readRecording({ params: { recordingId }, query: { from } }, context) {
      await tell(recordingId, context, from === undefined);
      const data = await recordings.read(recordingId, from);
      context.requireRight();
      return { data };
    },
    async deleteRecording({ params: { recordingId } }) {
      await recordings.remove(recordingId);
      return undefined;
    },
  };
}
