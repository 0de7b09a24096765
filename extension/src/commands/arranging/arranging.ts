import type { Fleet } from "../../servers/fleet.ts";
import type { Arrangements } from "../../views/arrangements.ts";
import type { Targets } from "../targets/targets.ts";
import { type AttributeHandlers, attributeHandlers } from "./attributes.ts";
import { type FilterHandlers, filterHandlers } from "./filter.ts";
import { type GroupingHandlers, groupingHandlers } from "./grouping.ts";
import { type OfflineHandlers, offlineHandlers } from "./offline.ts";
import { type PinHandlers, pinHandlers } from "./pins.ts";

/** Commands that say how clients are found and kept in order. */
export type ArrangingHandlers = AttributeHandlers &
  FilterHandlers &
  GroupingHandlers &
  OfflineHandlers &
  PinHandlers;

/** What these commands need. */
export interface ArrangingDeps {
  readonly fleet: Fleet;
  readonly targets: Targets;
  readonly arrangements: Arrangements;
}

/** Filtering, grouping, sorting, pinning, renaming and tagging. */
export function arrangingHandlers(deps: ArrangingDeps): ArrangingHandlers {
  return {
    ...filterHandlers(deps.arrangements),
    ...groupingHandlers(deps),
    ...offlineHandlers(),
    ...pinHandlers(deps),
    ...attributeHandlers(deps.targets),
  };
}
