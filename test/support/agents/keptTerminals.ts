import { createRequire } from "node:module";
import { expect } from "vitest";
import { platformOf } from "../../../agent/src/machine/platformOf.ts";
import type { Shells } from "../../../agent/src/machine/shells.ts";
import { createLog } from "../../../agent/src/platform/log.ts";
import { Floods } from "../../../agent/src/terminal/floods.ts";
import { nodePty, type PtyLibrary } from "../../../agent/src/terminal/nodePty.ts";
import { openTerminals } from "../../../agent/src/terminal/openTerminals.ts";
import { FakeClock } from "../clock.ts";
import { eventually } from "../eventually.ts";
import { withMoments } from "../momentClock.ts";
import { connectPair } from "../wire/wirePair.ts";

/** Where npm has no library for this machine, the executable alone has terminals. */
function library(): PtyLibrary | undefined {
  try {
    return createRequire(import.meta.url)("@lydell/node-pty-linux-x64/pty.node");
  } catch {
    return undefined;
  }
}

/** The library of node-pty, where it is for this machine. */
export const LIBRARY = library();

/** What a host is made of, where it differs from the usual. */
export interface KeepingParts {
  readonly library: PtyLibrary;
  readonly shells: Shells | undefined;
}

/** The terminals of a host on a clock that stands still, and a server that opens them. */
export async function startKeeping(
  settings: Partial<Parameters<typeof openTerminals>[0]["settings"]> = {},
  parts: Partial<KeepingParts> = {},
) {
  if (LIBRARY === undefined) throw new Error("there is no library");
  const { library = LIBRARY, shells = platformOf(process.platform).shells } = parts;
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = createLog({ level: "debug", clock, write: (line) => void lines.push(line) });
  const open = nodePty(library);
  const terminals = await openTerminals({
    settings: {
      isAllowed: true,
      accounts: [],
      max: 16,
      idleMs: 0,
      shell: "/bin/sh",
      integratesShells: true,
      ...settings,
    },
    shells,
    findPty: () => ({ open }),
    clock: withMoments(clock),
    log,
    floods: new Floods({ clock, traffic: { isNow: false } }),
  });
  const pair = await connectPair({
    client: { onOpen: (_type, extra) => terminals.decide(extra) },
  });
  const told: string[] = [];
  terminals.listen({
    server: "a server",
    tellEnd: async ({ ended }) => {
      told.push(ended?.end.how ?? "");
      return true;
    },
    settle: async () => {},
  });
  return {
    clock,
    terminals,
    lines,
    told,
    /** What a viewer needs of a server. */
    session: { connection: pair.server },
    async [Symbol.asyncDispose]() {
      const stopped = terminals.stop();
      await eventually(() => {
        clock.advance(1_000);
        expect(terminals.list()).toEqual([]);
      });
      await stopped;
      await pair[Symbol.asyncDispose]();
    },
  };
}
