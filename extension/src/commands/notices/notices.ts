import type { Nodes } from "../../model/node.ts";
import type { Fleet } from "../../servers/fleet.ts";
import type { LocalBackend } from "../../servers/localBackend/localBackend.ts";
import { WakeUps } from "../../servers/wakeUps.ts";
import { systemClock } from "../../support/clock.ts";
import type { Log } from "../../support/log.ts";
import type { Arrangements } from "../../views/arrangements.ts";
import { UpdateNotice } from "../localBackend/updateNotice.ts";
import { RefusedNotices } from "../people/refusedNotices.ts";
import { personalSettings } from "../personalSettings.ts";
import { ClientNotices } from "./clientNotices.ts";
import { JoinNotices } from "./joinNotices.ts";

/** What they tell of, and by what. */
export interface NoticesDeps {
  readonly fleet: Fleet;
  readonly local: LocalBackend;
  readonly nodes: Nodes;
  readonly arrangements: Arrangements;
  readonly log: Log;
}

/** What looks at the servers by itself. */
export function noticesOf(deps: NoticesDeps): readonly { dispose(): void }[] {
  const { fleet, local, nodes, arrangements, log } = deps;
  return [
    new ClientNotices({
      fleet,
      nodes,
      clock: systemClock,
      log,
      isPinned: (serverKey, clientId) => arrangements.isPinned(serverKey, clientId),
      told: () => personalSettings.told,
    }),
    new JoinNotices(fleet),
    new RefusedNotices(fleet),
    new UpdateNotice(fleet, local),
    new WakeUps({ fleet, clock: systemClock }),
  ];
}
