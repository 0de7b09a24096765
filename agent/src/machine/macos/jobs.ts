import { createHash } from "node:crypto";
import os from "node:os";
import { dirname, join } from "node:path";
import type { Clock } from "../../platform/clock.ts";
import type { Accounts } from "../account.ts";
import type { Place } from "../place.ts";
import { isPresent, placeFile } from "../placing.ts";
import type { Programs } from "../programs.ts";
import { runCommand } from "../self.ts";
import { LaunchdService } from "./launchd.ts";

const LABEL = "rport-agent";

/** What a job needs of the machine; `root` is for tests. */
export interface JobParts {
  readonly programs: Programs;
  readonly clock: Clock;
  readonly accounts: Accounts;
  readonly root?: string;
}

/** The agent of the whole machine as a daemon, run by an account of its own. */
export function daemonOf(place: Place, parts: JobParts): LaunchdService {
  const { layout, self, user = "" } = place;
  const { programs, clock, accounts, root = "/" } = parts;
  const { logFile } = layout;
  return new LaunchdService({
    programs,
    clock,
    job: { label: LABEL, user, command: runCommand(layout, self), logFile },
    file: join(root, "Library/LaunchDaemons", `${LABEL}.plist`),
    domain: "system",
    caveats: [],
    prepare: async (changing) => {
      const account = await accounts.find(user);
      if (account === undefined || (await isPresent(logFile))) return;
      const access = { mode: 0o640, owner: account.owner };
      await placeFile({ path: logFile, from: { text: "" }, access }, changing);
    },
  });
}

/** The agent of a prefix as an agent of whoever installs, if that user's launchd answers. */
export async function userAgentOf(
  place: Place,
  { programs, clock }: JobParts,
  user = os.userInfo(),
): Promise<LaunchdService | undefined> {
  const { layout, self } = place;
  const hash = createHash("sha256").update(dirname(layout.config)).digest("hex").slice(0, 8);
  const label = `${LABEL}.${hash}`;
  const file = join(user.homedir, "Library/LaunchAgents", `${label}.plist`);
  const domain = `gui/${user.uid}`;
  const isAnswering = (await programs.run("launchctl", ["print", domain])).code === 0;
  if (!isAnswering && !(await isPresent(file))) return undefined;
  return new LaunchdService({
    programs,
    clock,
    job: { label, user: undefined, command: runCommand(layout, self), logFile: layout.logFile },
    file,
    domain,
    caveats: ["The agent starts when you log in, and ends when you log out."],
    prepare: async () => {},
  });
}
