import { execFileSync } from "node:child_process";
import { constants } from "node:os";
import { beforeAll, describe, expect, it } from "vitest";
import type { AgentProgram } from "../../../support/agents/agent.ts";
import { BUILT_AGENTS, builtAgent } from "../../../support/agents/builtAgent.ts";
import { HostViewer } from "../../../support/agents/hostViewer.ts";
import { startTerminalHost, type TerminalHost } from "../../../support/agents/terminalHost.ts";
import { eventually } from "../../../support/eventually.ts";

const PATIENT = { timeout: 120_000 };
/** Numbers of processes that nothing else of the machine takes. */
const OWN_NUMBERS = [
  "unshare",
  "--pid",
  "--fork",
  "--kill-child",
  "--mount-proc",
  "sh",
  "-c",
  '"$@" & wait',
  "sh",
] as const;
/** Which number the next process gets, less one. */
const NEXT = "/proc/sys/kernel/ns_last_pid";
/** Puts a group in front, lets it end, and stays. */
const LEAVE_DEAD_GROUP = `$SIG{TTOU} = "IGNORE";
my $group = fork;
unless ($group) { setpgid(0, 0); tcsetpgrp(0, $$); exit }
waitpid $group, 0;
print "left=$group-\\n";
sleep 1000`;

beforeAll(async () => {
  await builtAgent();
}, 600_000);

/** Whether this machine lets a test give numbers, and has what the test's programs are written in. */
function mayNumber(): boolean {
  try {
    const [unshare, ...words] = OWN_NUMBERS;
    execFileSync(unshare, [...words, "sh", "-c", `echo 1000 > ${NEXT}`], { stdio: "ignore" });
    execFileSync("perl", ["-MPOSIX", "-e", ""], { stdio: "ignore" });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}

/** The number that a program has written behind a word. */
async function numberBehind(word: string, viewer: HostViewer): Promise<number> {
  const pattern = new RegExp(`${word}=(\\d+)-`);
  await viewer.until(word, () => pattern.test(viewer.text));
  return Number(pattern.exec(viewer.text)?.[1]);
}

/** A host with terminals of an account, and of root. */
function startNumbered({ command }: AgentProgram): Promise<TerminalHost> {
  const accounts = ["games", "root"];
  return startTerminalHost({ command: [...OWN_NUMBERS, ...command] }, { accounts });
}

function openAs(account: string, { session }: TerminalHost): Promise<HostViewer> {
  return HostViewer.open(session, { wish: { kind: "new", account } });
}

/** What root types to have a process with a number, as soon as nothing is left that keeps it. */
function victim(number: number): string {
  const next = `echo ${number - 1} > ${NEXT}; sleep 1000 & [ $! = ${number} ] || kill -KILL $!`;
  return `until [ "$!" = ${number} ]; do ${next}; done; echo victim=$!-`;
}

/** Root ends its process itself once the one terminal has ended, whose processes were ended before. */
async function expectAlive(pid: number, root: HostViewer, host: TerminalHost): Promise<void> {
  await eventually(() => expect(host.asked).toHaveLength(1), 20_000);
  await root.type(`kill -TERM ${pid}; wait ${pid}; echo status=$?-\r`);
  expect(await numberBehind("status", root)).toBe(128 + constants.signals.SIGTERM);
}

describe.skipIf(!mayNumber()).each(BUILT_AGENTS)(
  "a number of a process that another account's process got since, and a host $name",
  ({ program }) => {
    it("gets no signal for a group in front that has ended", PATIENT, async () => {
      await using host = await startNumbered(program);
      const viewer = await openAs("games", host);
      await viewer.type(`exec perl -MPOSIX -e '$| = 1; ${LEAVE_DEAD_GROUP}'\r`);
      const left = await numberBehind("left", viewer);
      const other = await openAs("root", host);
      await other.type(`${victim(left)}\r`);
      expect(await numberBehind("victim", other)).toBe(left);
      viewer.send({ kind: "signal", signal: "KILL" });
      viewer.send({ kind: "close" });
      await expectAlive(left, other, host);
    });

    it(
      "gets none for a shell that has ended while its terminal is still open",
      PATIENT,
      async () => {
        await using host = await startNumbered(program);
        const viewer = await openAs("games", host);
        await viewer.type("setsid sleep 1000 & echo shell=$$-\r");
        const shell = await numberBehind("shell", viewer);
        const other = await openAs("root", host);
        await other.type(`while kill -0 ${shell}; do :; done 2>/dev/null; ${victim(shell)}\r`);
        await viewer.type("exit\r");
        expect(await numberBehind("victim", other)).toBe(shell);
        viewer.send({ kind: "close" });
        await expectAlive(shell, other, host);
      },
    );
  },
);
