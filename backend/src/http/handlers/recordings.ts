import type { RecordingId, RecordingView } from "@rport/protocol/terminal/recording";
import type { Audit } from "../../audit/entry.ts";
import type { ListSearches } from "../../lists/listSearches.ts";
import type { ListSpec } from "../../lists/listSpec.ts";
import type { Clock } from "../../platform/clock.ts";
import { RecentMap } from "../../platform/recentMap.ts";
import type { Recordings } from "../../recordings/recordings.ts";
import type { CallContext, Handlers } from "../endpoints.ts";

/** Places where a reading may go on that is in the audit log. */
const PLACES_MAX = 1_000;
/** Whoever asks on within this goes on with the same reading. */
const GOES_ON_MS = 10 * 60_000;

/** What the handlers of recordings need. */
export interface RecordingHandlerDeps {
  readonly recordings: Pick<Recordings, "all" | "metaOf" | "read" | "remove">;
  readonly audit: Pick<Audit, "record" | "ready">;
  readonly searches: Pick<ListSearches, "run">;
  readonly clock: Pick<Clock, "monotonic">;
}

/** Every member may be searched and sorted by, but how it ended. */
const COLUMNS: ListSpec<RecordingView>["filters"] = {
  id: ({ id }) => id,
  terminal_id: ({ terminal_id: id }) => id,
  part: ({ part }) => part,
  client_id: ({ client_id: client }) => client,
  hostname: ({ hostname }) => hostname,
  owner: ({ owner }) => owner,
  account: ({ account }) => account,
  started_at: ({ started_at: at }) => at,
  ended_at: ({ ended_at: at }) => at,
  bytes: ({ bytes }) => bytes,
  state: ({ state }) => state,
};

/** Each recording is sent whole. */
const recordingList: ListSpec<RecordingView> = {
  resource: "recordings",
  filters: COLUMNS,
  times: ["started_at", "ended_at"],
  order: ({ started_at: at, id }) => `${at} ${id}`,
  sorts: COLUMNS,
  fields: {},
  defaultFields: [],
};

/** Serves the recordings of terminals. Whoever reads one is in the audit log before it is shown anything. */
export function recordingHandlers({
  recordings,
  audit,
  searches,
  clock,
}: RecordingHandlerDeps): Pick<Handlers, "listRecordings" | "readRecording" | "deleteRecording"> {
  /** By whose and which place it is; until when, by the monotonic clock. */
  const places = new RecentMap<string, number>(PLACES_MAX);

  /** Whether it goes on with a reading: each place that an answer gave is asked for once, and soon. */
  function isGoingOn(place: string): boolean {
    const untilMs = places.get(place) ?? Number.NEGATIVE_INFINITY;
    places.delete(place);
    return clock.monotonic() <= untilMs;
  }

  /** Writes down who reads it. */
  async function tell(id: RecordingId, context: CallContext): Promise<void> {
    const { user, address: remoteIp, requireRight } = context;
    const meta = await recordings.metaOf(id);
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
  }

  return {
    async listRecordings({ query }, { actor, requireRight }) {
      const items = await recordings.all();
      requireRight();
      return searches.run(actor, { items, query, spec: recordingList, row: (one) => one });
    },
    async readRecording({ params: { recordingId }, query: { from } }, context) {
      const placeAt = (at: string) => `${context.actor.accountId} ${recordingId} ${at}`;
      if (from === undefined || !isGoingOn(placeAt(from))) await tell(recordingId, context);
      const data = await recordings.read(recordingId, from);
      context.requireRight();
      if (data.next !== null) places.set(placeAt(data.next), clock.monotonic() + GOES_ON_MS);
      return { data };
    },
    async deleteRecording({ params: { recordingId } }, { requireRight }) {
      await recordings.remove(recordingId, requireRight);
      return undefined;
    },
  };
}
