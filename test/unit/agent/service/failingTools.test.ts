import { spawnSync } from "node:child_process";
import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { macosInstalling } from "../../../../agent/src/machine/macos/macos.ts";
import type { Programs } from "../../../../agent/src/machine/programs.ts";
import { SYSTEM_CLOCK } from "../../../../agent/src/platform/clock.ts";
import { install } from "../../../../agent/src/service/install.ts";
import { Supervision } from "../../../../agent/src/service/supervision.ts";
import { uninstall } from "../../../../agent/src/service/uninstall.ts";
import { CONFIG, SERVER } from "../../../support/installer/installScene.ts";
import { macTools } from "../../../support/installer/macTools.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const REQUEST = {
  server: SERVER,
  isNewId: false,
  isForced: false,
  isStarted: true,
  terminals: { kind: "unsaid" as const },
  isDryRun: false,
};
const FOLDERS = ["etc", "var/log", "var/run", "var/lib", "usr/local/bin", "Library/LaunchDaemons"];
const MAX_CALLS = 100;

const hasTools = ["xmllint", "setpriv"].every(
  (tool) => spawnSync(tool, ["--version"]).status === 0,
);
const canRun = process.getuid?.() === 0 && hasTools;

/** A program in the place of the agent: it says that it is connected, and waits. */
const agent = (dataDir: string) => `#!/bin/sh
# rport-agent: connects this host to its RPort server.
[ "$1" = run ] || exit 0
printf '{"last_update":"","last_update_ts":%s,"last_state":"connected","last_message":"","pid":%s}' \\
  "$(date +%s)" $$ >'${dataDir}/state.json'
exec sleep 60
`;

/** A machine whose tools are programs of their own; one call of them can be made to fail. */
async function createMachine(path: string) {
  await chmod(path, 0o755);
  const root = join(path, "root");
  for (const name of FOLDERS) await mkdir(join(root, name), { recursive: true });
  const tools = await macTools(path);
  const fault = { at: 0, calls: 0 };
  const programs: Programs = {
    run: (program, args) => {
      fault.calls += 1;
      const isFaulty = fault.calls === fault.at;
      if (isFaulty) return Promise.resolve({ code: 1, stdout: "", stderr: "injected" });
      return tools.run(program, args);
    },
  };
  const installing = macosInstalling({ programs, clock: SYSTEM_CLOCK }, root);
  const layout = installing.systemLayout();
  const file = join(path, "downloaded");
  await writeFile(file, agent(layout.dataDir));
  const place = { layout, self: { kind: "executable" as const, file }, user: "_rport" };
  const supervision = await Supervision.of(place, installing, true);
  const deps = {
    place,
    installing,
    programs,
    clock: SYSTEM_CLOCK,
    supervisor: supervision.wanted.bind(supervision),
    predecessor: undefined,
    enroll: async (target: string) => {
      await writeFile(target, CONFIG);
      return { authId: "web", clientId: "host-1", report: async () => {} };
    },
    temporary: path,
    say: () => {},
    signal: new AbortController().signal,
  };
  const left = async () => ({
    files: (await readdir(root, { recursive: true })).sort(),
    accounts: (await readdir(join(tools.state, "records"), { recursive: true })).sort(),
  });
  const remove = () => {
    const supervisors = supervision.all();
    const parts = { layout, installing, supervisors, wayBack: [], user: "_rport", say: () => {} };
    return uninstall({ keepsConfig: false, isDryRun: false }, parts);
  };
  return { fault, left, remove, run: () => install(REQUEST, deps) };
}

describe.skipIf(!canRun)("PAIR-26: a tool of the system that fails", () => {
  test("at any of its calls: all is taken back, or all is there", {
    timeout: 120_000,
  }, async () => {
    await using directory = await tempDirectory();
    const machine = await createMachine(directory.path);
    const { fault } = machine;
    const before = await machine.left();
    for (;;) {
      fault.at += 1;
      fault.calls = 0;
      expect(fault.at).toBeLessThan(MAX_CALLS);
      const failure = await machine.run().catch((error: unknown) => error);
      const isOver = fault.calls < fault.at;
      if (failure === undefined) {
        // Questions may fail without harm, because the answer is not needed.
        fault.calls = MAX_CALLS;
        expect((await machine.left()).files).toContain("usr/local/bin/rport-agent");
        await machine.remove();
      } else expect(failure).toMatchObject({ name: "CliFailure", exitCode: expect.any(Number) });
      expect(await machine.left(), `after call ${fault.at}: ${failure}`).toEqual(before);
      if (isOver) break;
    }
    expect(fault.at).toBeGreaterThan(15);
  });
});
