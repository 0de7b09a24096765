import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { REQUESTS } from "@rport/protocol/agent";
import { TERMINAL } from "@rport/protocol/terminal/terminal";
import { beforeAll, describe, expect, it } from "vitest";
import { BUILT_AGENTS, builtAgent } from "../../../support/agents/builtAgent.ts";
import { HostViewer } from "../../../support/agents/hostViewer.ts";
import { shellScript, startTerminalHost } from "../../../support/agents/terminalHost.ts";
import { eventually } from "../../../support/eventually.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";
import { bareBash } from "../../../support/terminals/homeShell.ts";

const PATIENT = { timeout: 120_000 };
const PASTE_BYTES = 1_000_000;
/** Reads nothing, and ends when it is interrupted, also by a signal that comes as soon as it has said that it is there. */
const INTERRUPTED = "trap 'echo interrupted; exit 7' INT\nsleep 1000 &\necho ready\nwait";

beforeAll(async () => void (await builtAgent()), 600_000);

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** How often a process has asked its system for something to read. */
async function readingsOf(pid: number): Promise<number> {
  const counted = await readFile(`/proc/${pid}/io`, "latin1");
  return Number(/^syscr: (\d+)$/m.exec(counted)?.[1]);
}

describe.each(BUILT_AGENTS)("input of terminals of an agent $name", ({ program }) => {
  const reader = `stty raw -echo\necho ready\nhead -c ${PASTE_BYTES} | sha256sum`;

  it("is given to the program as it is: a paste of 1 MB", PATIENT, async () => {
    await using script = await shellScript(reader);
    await using host = await startTerminalHost(program, { shell: script.path });
    const viewer = await HostViewer.open(host.session);
    await viewer.untilText("ready");
    const paste = randomBytes(PASTE_BYTES);
    await viewer.type(paste);
    await viewer.untilText(sha256(paste));
    expect(await viewer.untilEnded()).toEqual({ how: "exit", code: 0 });
  });

  it("is given once, however often a viewer that was cut off says it again", PATIENT, async () => {
    await using script = await shellScript(reader);
    await using host = await startTerminalHost(program, { shell: script.path });
    const paste = randomBytes(PASTE_BYTES);
    let { session } = host;
    let viewer = await HostViewer.open(session);
    await viewer.untilText("ready");
    for (const part of [300_000, 600_000, PASTE_BYTES]) {
      await viewer.type(paste.subarray(viewer.inputEnd, part));
      if (part === PASTE_BYTES) break;
      if (part === 600_000) {
        session.connection.close("a cut");
        session = await host.server.next();
      } else viewer.channel.destroy();
      viewer = await viewer.again(session, viewer.outputEnd);
      expect(viewer.inputEnd).toBeLessThanOrEqual(part);
    }
    await viewer.untilText(sha256(paste));
  });

  it("that is urgent stops a program that reads nothing of a paste", PATIENT, async () => {
    await using script = await shellScript(`stty -icanon isig -echo\n${INTERRUPTED}`);
    await using host = await startTerminalHost(program, { shell: script.path });
    const viewer = await HostViewer.open(host.session);
    await viewer.untilText("ready");
    void viewer.type(Buffer.alloc(PASTE_BYTES, "line of a paste\r")).catch(() => {});
    const unconfirmed = () => viewer.inputEnd - (viewer.taken.at(-1) ?? 0);
    await eventually(() => expect(unconfirmed()).toBe(TERMINAL.inputWindowBytes), 20_000);
    for (let asked = 0; asked < 20; asked += 1) await host.session.ask(REQUESTS.ping);
    viewer.urge("\x03");
    expect(await viewer.untilEnded()).toEqual({ how: "exit", code: 7 });
    expect(viewer.text).toContain("interrupted");
  });

  it.each(["icanon", "-icanon"])(
    "that is urgent stops a program behind a paste that the system took and it does not read: %s",
    PATIENT,
    async (mode) => {
      await using script = await shellScript(`stty ${mode} isig -echo\n${INTERRUPTED}`);
      await using host = await startTerminalHost(program, { shell: script.path });
      const viewer = await HostViewer.open(host.session);
      await viewer.untilText("ready");
      await viewer.type(Buffer.alloc(8_000, "line of a paste\r"));
      await viewer.until("all of it to be taken", () => viewer.taken.at(-1) === viewer.inputEnd);
      viewer.urge("\x03");
      expect(await viewer.untilEnded()).toEqual({ how: "exit", code: 7 });
    },
  );

  it("that is urgent keeps a shell from running what was pasted before", PATIENT, async () => {
    await using directory = await tempDirectory();
    const made = join(directory.path, "made");
    await using bash = await bareBash();
    await using host = await startTerminalHost(program, { shell: bash.shell });
    const viewer = await HostViewer.open(host.session);
    await viewer.type("echo rea''dy; sleep 1000\r");
    await viewer.untilText("ready");
    await viewer.type(`touch ${made}\r`.repeat(Math.ceil(8_000 / made.length)));
    await viewer.until("all of it to be taken", () => viewer.taken.at(-1) === viewer.inputEnd);
    viewer.urge("\x03");
    await viewer.type("echo behind-$((1 + 1))\r");
    await viewer.untilText("behind-2");
    expect(existsSync(made)).toBe(false);
  });

  it(
    "that is urgent by the hundred costs a few readings, also of a terminal that never says it is empty",
    PATIENT,
    async () => {
      await using script = await shellScript(
        "stty -icanon -echo min 0 time 0\necho ready\nsleep 1000",
      );
      await using host = await startTerminalHost(program, { shell: script.path });
      const viewer = await HostViewer.open(host.session);
      await viewer.untilText("ready");
      const before = await readingsOf(host.agent.pid);
      viewer.channel.cork();
      for (let key = 0; key < 100; key += 1) viewer.urge("x");
      viewer.channel.uncork();
      await viewer.until("the last to be taken", () => viewer.taken.at(-1) === viewer.inputEnd);
      expect((await readingsOf(host.agent.pid)) - before).toBeLessThan(5_000);
    },
  );

  it("that is missing, or too much, ends its viewer and not the terminal", PATIENT, async () => {
    await using script = await shellScript("stty raw -echo\necho ready\nsleep 1000");
    await using host = await startTerminalHost(program, { shell: script.path });
    const viewer = await HostViewer.open(host.session);
    await viewer.untilText("ready");
    viewer.send({ kind: "input", offset: 5, bytes: Buffer.from("x") });
    await viewer.until("the channel to close", () => viewer.isClosed);
    const other = await viewer.again(host.session);
    const bytes = Buffer.alloc(32 << 10);
    for (let at = 0; at < 10; at += 1)
      other.send({ kind: "input", offset: at * bytes.length, bytes });
    await other.until("the channel to close", () => other.isClosed);
    const last = await other.again(host.session);
    expect(last.text).toContain("ready");
  });

  it("follows the size: of ten thousand the program sees few, and the last", PATIENT, async () => {
    await using script = await shellScript(
      "n=0\ntrap 'n=$((n + 1))' WINCH\necho ready\nuntil read -r line; do :; done\nstty size\necho count=$n-",
    );
    await using host = await startTerminalHost(program, { shell: script.path });
    const viewer = await HostViewer.open(host.session);
    await viewer.untilText("ready");
    for (let round = 0; round < 10_000; round += 1) {
      viewer.send({ kind: "resize", cols: 100 + (round % 100), rows: 30 });
    }
    viewer.send({ kind: "resize", cols: 77, rows: 33 });
    await viewer.type("go\rgo\r");
    await viewer.untilText("33 77");
    await viewer.until("the count", () => /count=\d+-/.test(viewer.text));
    expect(Number(/count=(\d+)-/.exec(viewer.text)?.[1])).toBeLessThan(200);
  });
});
