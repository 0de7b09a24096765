import type { Fleet } from "../servers/fleet.ts";
import type { LocalBackend } from "../servers/localBackend/localBackend.ts";
import { WakeUps } from "../servers/wakeUps.ts";
import { systemClock } from "../support/clock.ts";
import { JoinNotices } from "./joinNotices.ts";
import { UpdateNotice } from "./localBackend/updateNotice.ts";
import { RefusedNotices } from "./people/refusedNotices.ts";

/** What looks at the servers by itself. */
export function noticesOf(fleet: Fleet, local: LocalBackend): readonly { dispose(): void }[] {
  return [
    new JoinNotices(fleet),
    new RefusedNotices(fleet),
    new UpdateNotice(fleet, local),
    new WakeUps({ fleet, clock: systemClock }),
  ];
}
