import { createHash, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { REQUESTS } from "@rport/protocol/agent";
import { TERMINAL } from "@rport/protocol/terminal/terminal";
import { beforeAll, describe, expect, it } from "vitest";
import { BUILT_AGENTS, builtAgent } from "../../../support/agents/builtAgent.ts";
import { HostViewer } from "../../../support/agents/hostViewer.ts";
import { shellScript, startTerminalHost } from "../../../support/agents/terminalHost.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const PATIENT = { timeout: 300_000 };
const LARGE_BYTES = 50_000_000;
/** What an agent may grow by while a viewer does not read. */
const GROWTH_BYTES = 16 << 20;

beforeAll(async () => void (await builtAgent()), 600_000);

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** Resident memory of a process. */
async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) << 10;
}

/** What a process has written since it began. */
async function writtenBy(pid: number): Promise<number> {
  return Number(/wchar: (\d+)/.exec(await readFile(`/proc/${pid}/io`, "utf8"))?.[1]);
}

describe.each(BUILT_AGENTS)("bytes of terminals of an agent $name", ({ program }) => {
  it("all arrive of programs that end at once: 500 of 500", PATIENT, async () => {
    await using script = await shellScript("stty -opost\nhead -c 100000 /dev/zero\nprintf END");
    await using host = await startTerminalHost(program, { shell: script.path, max: 8 });
    let whole = 0;
    const one = async () => {
      const viewer = await HostViewer.open(host.session, {}, { keeps: false });
      expect(await viewer.untilEnded()).toEqual({ how: "exit", code: 0 });
      if (viewer.outputEnd === 100_003) whole += 1;
    };
    const several = async () => {
      for (let done = 0; done < 125; done += 1) await one();
    };
    await Promise.all([several(), several(), several(), several()]);
    expect(whole).toBe(500);
  });

  it.each(["raw", "-opost"])("are those that were written: 50 MB, %s", PATIENT, async (mode) => {
    await using directory = await tempDirectory();
    const file = join(directory.path, "large");
    const bytes = randomBytes(LARGE_BYTES);
    await writeFile(file, bytes);
    await using script = await shellScript(`stty ${mode} -echo\ncat ${file}`);
    await using host = await startTerminalHost(program, { shell: script.path });
    const viewer = await HostViewer.open(host.session);
    expect(await viewer.untilEnded()).toEqual({ how: "exit", code: 0 });
    expect(viewer.outputEnd).toBe(LARGE_BYTES);
    expect(sha256(viewer.bytes)).toBe(sha256(bytes));
  });

  it("wait for a viewer that does not read, and Ctrl+C works meanwhile", PATIENT, async () => {
    await using host = await startTerminalHost(program);
    const viewer = await HostViewer.open(host.session, {}, { confirms: false, keeps: false });
    const before = await residentBytes(host.agent.pid);
    await viewer.type("echo pid-$$-; yes\r");
    const window = TERMINAL.outputWindowBytes;
    await viewer.until("a full window", () => viewer.outputEnd === window);
    for (let asked = 0; asked < 50; asked += 1) await host.session.ask(REQUESTS.ping);
    expect(viewer.outputEnd).toBe(window);
    expect((await residentBytes(host.agent.pid)) - before).toBeLessThan(GROWTH_BYTES);
    const fromMs = performance.now();
    await viewer.type("\x03");
    await viewer.until("the key to be taken", () => viewer.taken.at(-1) === viewer.inputEnd);
    const end = await viewer.again(host.session);
    await end.type("echo still-$((40 + 2))\r");
    await end.untilText("still-42");
    // On a machine with nothing else to do it is below 200.
    expect(performance.now() - fromMs).toBeLessThan(5_000);
  });

  it("wait also of a program that takes Ctrl+S for itself", PATIENT, async () => {
    await using script = await shellScript("stty raw -echo\necho pid-$$-\nexec yes 0123456789");
    await using host = await startTerminalHost(program, { shell: script.path });
    const viewer = await HostViewer.open(host.session, {}, { confirms: false });
    const before = await residentBytes(host.agent.pid);
    await viewer.until("a full window", () => viewer.outputEnd === TERMINAL.outputWindowBytes);
    const pid = Number(/pid-(\d+)-/.exec(viewer.text)?.[1]);
    for (let asked = 0; asked < 50; asked += 1) await host.session.ask(REQUESTS.ping);
    expect(await writtenBy(pid)).toBeLessThan(2_000_000);
    expect((await residentBytes(host.agent.pid)) - before).toBeLessThan(GROWTH_BYTES);
    viewer.take();
    await viewer.until("more", () => viewer.outputEnd > TERMINAL.outputWindowBytes);
    viewer.send({ kind: "close" });
    expect(await viewer.untilEnded()).toMatchObject({ how: "closed" });
    expect(viewer.text.slice(viewer.text.indexOf("-\n") + 2)).toMatch(/^(0123456789\n)+\d*$/);
  });

  it("come once and all, whatever cuts the connection meanwhile", PATIENT, async () => {
    await using script = await shellScript("stty -opost\nread -r go\nseq 1 800000");
    await using host = await startTerminalHost(program, { shell: script.path });
    let { session } = host;
    let viewer = await HostViewer.open(session);
    const pieces: Buffer[] = [];
    await viewer.type("\r");
    for (const isConnection of [false, true, false]) {
      const from = viewer.outputEnd;
      await viewer.until("some output", () => viewer.outputEnd > from + 200_000);
      if (isConnection) session.connection.close("a cut");
      else viewer.channel.destroy();
      if (isConnection) session = await host.server.next();
      pieces.push(viewer.bytes);
      const next = await viewer.again(session, viewer.outputEnd);
      expect(next.attached).toMatchObject({ outputFrom: viewer.outputEnd });
      viewer = next;
    }
    expect(await viewer.untilEnded()).toEqual({ how: "exit", code: 0 });
    const text = Buffer.concat([...pieces, viewer.bytes]).toString();
    const numbers = Array.from({ length: 800_000 }, (_, index) => `${index + 1}\n`).join("");
    expect(text.slice(text.indexOf("1\n2\n"))).toBe(numbers);
  });
});
