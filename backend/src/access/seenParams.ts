import type { ClientId } from "@rport/protocol/ids";
import type { ClientGroupParams } from "@rport/protocol/people/clientGroup";
import { ItemTexts } from "../lists/itemTexts.ts";
import type { Each } from "../lists/listSearches.ts";
import { type TextPattern, textPattern } from "../lists/textPattern.ts";
import type { Clock } from "../platform/clock.ts";
import { RecentMap } from "../platform/recentMap.ts";
import type { ClientGroupRecord } from "../store/records/clientGroupRecord.ts";
import type { ClientRecord } from "../store/records/clientRecord.ts";
import type { Actor } from "../users/actor.ts";
import type { ClientGrants } from "./clientGrants.ts";
import { type GroupableClient, TRAIT_COLUMNS } from "./groupFit.ts";

/** Parameters whose texts can be the names of single hosts. */
const NAMES_OF_HOSTS = ["client_id", "name", "hostname", "ipv4", "ipv6", "address"] as const;
/** Groups of clients, as those in some groups of users see them, that are remembered. */
const REMEMBERED_MAX = 1_000;
/** What hosts are called may change while nobody's rights do: it is looked at again after so long. */
const REMEMBERED_MS = 5_000;

/** What is needed to say what somebody is shown of a group's parameters. */
export interface SeenParamsDeps {
  readonly grants: Pick<ClientGrants, "version">;
  readonly recordOf: (id: ClientId) => ClientRecord | undefined;
  readonly clock: Pick<Clock, "monotonic">;
}

/** Who wants to see the parameters of which group. */
export interface ParamsQuestion {
  readonly record: ClientGroupRecord;
  readonly actor: Pick<Actor, "isAdministrator" | "groups">;
  readonly each: Each;
}

interface Remembered {
  readonly record: ClientGroupRecord;
  /** Who saw what when it was found. */
  readonly version: number;
  readonly atMs: number;
  readonly params: ClientGroupParams;
}

/** A text of a parameter of which nobody knows yet whether it fits somebody. */
interface Wanted {
  readonly trait: (typeof NAMES_OF_HOSTS)[number];
  readonly text: string;
  readonly fits: TextPattern;
}

/**
 * The parameters of a group of clients as somebody is shown them who sees some of its clients: of
 * what names hosts, only the texts that fit one of those. It is found once for all who are in the same
 * groups of users.
 */
export class SeenParams {
  readonly #deps: SeenParamsDeps;
  readonly #remembered = new RecentMap<string, Remembered>(REMEMBERED_MAX);

  constructor(deps: SeenParamsDeps) {
    this.#deps = deps;
  }

  /** `seen` answers with the clients of the group that the actor may see. */
  async of(
    { record, actor, each }: ParamsQuestion,
    seen: () => Promise<readonly ClientId[]>,
  ): Promise<ClientGroupParams> {
    if (actor.isAdministrator) return record.params;
    const key = JSON.stringify([record.id, ...[...actor.groups].sort()]);
    const known = this.#remembered.get(key);
    if (known !== undefined && this.#isCurrent(known, record)) return known.params;
    const { version } = this.#deps.grants;
    const atMs = this.#deps.clock.monotonic();
    const params = await this.#find(record.params, await seen(), each);
    this.#remembered.set(key, { record, version, atMs, params });
    return params;
  }

  #isCurrent({ record, version, atMs }: Remembered, now: ClientGroupRecord): boolean {
    const { grants, clock } = this.#deps;
    const isYoung = clock.monotonic() - atMs < REMEMBERED_MS;
    return record === now && version === grants.version && isYoung;
  }

  async #find(
    params: ClientGroupParams,
    seen: readonly ClientId[],
    each: Each,
  ): Promise<ClientGroupParams> {
    const left = new Set(wantedOf(params));
    await each(untilNone(seen, left), (id) => {
      const record = this.#deps.recordOf(id);
      if (record === undefined) return;
      const client = new ItemTexts<GroupableClient>({ record, isConnected: false });
      for (const wanted of left) {
        if (client.of(TRAIT_COLUMNS[wanted.trait]).some(wanted.fits)) left.delete(wanted);
      }
    });
    const hidden = new Set([...left].map(({ trait, text }) => `${trait} ${text}`));
    const shown = NAMES_OF_HOSTS.map((trait) => {
      const texts = params[trait]?.filter((text) => !hidden.has(`${trait} ${text}`));
      return [trait, texts ?? params[trait]];
    });
    return { ...params, ...Object.fromEntries(shown) };
  }
}

function wantedOf(params: ClientGroupParams): Wanted[] {
  return NAMES_OF_HOSTS.flatMap((trait) =>
    (params[trait] ?? []).map((text) => ({ trait, text, fits: textPattern(text) })),
  );
}

/** There is no need to look at more clients once every text fits one. */
function* untilNone(seen: readonly ClientId[], left: ReadonlySet<Wanted>): Generator<ClientId> {
  for (const id of seen) {
    if (left.size === 0) return;
    yield id;
  }
}
