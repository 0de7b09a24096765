import { execFile, execFileSync } from "node:child_process";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { REQUESTS, UNKNOWN_REQUEST } from "@rport/protocol/agent";
import { beforeAll, describe, expect, it } from "vitest";
import { BUILT_AGENTS, builtAgent } from "../../../support/agents/builtAgent.ts";
import { HostViewer } from "../../../support/agents/hostViewer.ts";
import { startTerminalHost } from "../../../support/agents/terminalHost.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const PATIENT = { timeout: 120_000 };
const isRoot = process.getuid?.() === 0;
/** Mounts that are gone with the process: one terminal, and no more, for whatever runs in it. */
const ONE_TERMINAL = [
  "unshare",
  "--mount",
  "sh",
  "-c",
  'mount -t devpts -o newinstance,ptmxmode=0666,max=1 devpts /dev/pts && mount --bind /dev/pts/ptmx /dev/ptmx && exec "$@"',
  "sh",
] as const;

let files = "";
beforeAll(async () => {
  files = await builtAgent();
}, 600_000);

function mayMount(): boolean {
  try {
    execFileSync(ONE_TERMINAL[0], [...ONE_TERMINAL.slice(1), "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe.each(BUILT_AGENTS)("accounts of terminals of an agent $name", ({ program }) => {
  it.skipIf(!isRoot)("are those of the list, with their groups", PATIENT, async () => {
    const terminal = { accounts: ["nobody", "games", "is-not-there"] };
    await using host = await startTerminalHost(program, terminal);
    expect(host.session.registration).toMatchObject({
      Terminal: { state: "on", accounts: ["nobody", "games"] },
    });
    expect(host.agent.log()).toContain("an account of terminals is not there");
    for (const account of ["nobody", "games"]) {
      const viewer = await HostViewer.open(host.session, { wish: { kind: "new", account } });
      expect(viewer.attached).toMatchObject({ account });
      await viewer.type("echo groups=$(id -un):$(id -Gn)-; echo $USER:$PWD-; tty <&1\r");
      await viewer.type("echo of=$(stat -c %U $(tty))-; exit 4\r");
      const { stdout } = await promisify(execFile)("id", ["-Gn", account]);
      await viewer.untilText(`groups=${account}:${stdout.trim()}-`);
      await viewer.untilText(account === "nobody" ? "nobody:/-" : "games:/usr/games-");
      await viewer.untilText("/dev/pts/");
      await viewer.untilText(`of=${account}-`);
      expect(await viewer.untilEnded()).toEqual({ how: "exit", code: 4 });
    }
    const first = await HostViewer.open(host.session);
    expect(first.attached).toMatchObject({ account: "nobody" });
    first.send({ kind: "close" });
    expect(await first.untilEnded()).toMatchObject({ how: "closed" });
    const other = HostViewer.open(host.session, { wish: { kind: "new", account: "root" } });
    await expect(other).rejects.toThrow("this host allows no terminal as this account");
  });

  it(
    "are no question where nobody allowed terminals, and whoever asks reads why",
    PATIENT,
    async () => {
      await using host = await startTerminalHost(program, { enabled: false });
      const { registration } = host.session;
      expect(registration).toMatchObject({ Terminal: { state: "off" } });
      expect(registration.Features).not.toContain("terminal");
      await expect(HostViewer.open(host.session)).rejects.toThrow(
        "terminals are not allowed on this host: nobody wrote enabled = true below [terminal] into its rport.conf",
      );
      const asked = await host.session.ask(REQUESTS.listTerminals, {});
      expect(asked).toEqual({ ok: false, text: UNKNOWN_REQUEST });
    },
  );

  it.skipIf(!isRoot || !mayMount())(
    "wait where the system has no terminal left, and whoever asks reads so",
    PATIENT,
    async () => {
      const command = [...ONE_TERMINAL, ...program.command] as const;
      await using host = await startTerminalHost({ ...program, command });
      const first = await HostViewer.open(host.session);
      const second = HostViewer.open(host.session);
      await expect(second).rejects.toThrow(/this host cannot open a terminal: /);
      await first.type("exit\r");
      expect(await first.untilEnded()).toEqual({ how: "exit", code: 0 });
      const third = await HostViewer.open(host.session);
      await third.type("exit 2\r");
      expect(await third.untilEnded()).toEqual({ how: "exit", code: 2 });
    },
  );
});

describe("the bundle of an agent", () => {
  it("has terminals where it lies alone, as on the hosts it is copied to", PATIENT, async () => {
    await using directory = await tempDirectory();
    const bundle = join(directory.path, "agent.cjs");
    await cp(join(files, "agent.cjs"), bundle);
    await using host = await startTerminalHost({ command: [process.execPath, bundle] });
    const viewer = await HostViewer.open(host.session);
    await viewer.type("exit 6\r");
    expect(await viewer.untilEnded()).toEqual({ how: "exit", code: 6 });
  });

  it("says that its Node is too old for terminals, and to whoever asks", PATIENT, async () => {
    await using directory = await tempDirectory();
    const older = join(directory.path, "older.cjs");
    const text = `Object.defineProperty(process, "versions", { value: { ...process.versions, uv: "1.51.0" } });`;
    await writeFile(older, text);
    const command = [process.execPath, "--require", older, join(files, "agent.cjs")] as const;
    await using host = await startTerminalHost({ command });
    expect(host.session.registration).toMatchObject({ Terminal: { state: "runtime" } });
    expect(host.agent.log()).toMatch(/cannot be opened.*would lose the end of what programs write/);
    await expect(HostViewer.open(host.session)).rejects.toThrow(/Node that cannot have terminals/);
  });
});
