import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { describe, expect, test, vi } from "vitest";
import { parseMirror } from "../support/systemd/aptSources.ts";
import { whyNoSystemd } from "../support/systemd/available.ts";
import { ensureRootfs } from "../support/systemd/rootfs.ts";
import { bootSystemd } from "../support/systemd/system.ts";
import { parseTree } from "../support/systemd/tree.ts";

const FIRST_BUILD_MS = 400_000;

const UNIT = `
[Service]
ExecStart=/bin/sh -c 'echo hello from the unit; exec sleep 600'
Restart=always
RestartSec=0
PrivateDevices=yes
ProtectSystem=strict
[Install]
WantedBy=multi-user.target
`;

describe("apt sources", () => {
  test("both formats name the mirror of the wanted suite", () => {
    const stanzas = "Types: deb\n# a comment\nURIs: http://a.test/debian\nSuites: one two\n";
    expect(parseMirror(stanzas, "two")).toBe("http://a.test/debian");
    const list = "# deb http://no.test x\ndeb [arch=amd64] http://b.test/debian two main\n";
    expect(parseMirror(list, "two")).toBe("http://b.test/debian");
    expect(parseMirror(`${stanzas}\n${list}`, "three")).toBeUndefined();
  });
});

describe("tree snapshots", () => {
  test("an empty tree and odd names are read back", () => {
    expect(parseTree("\0")).toEqual({});
    const hash = "a".repeat(64);
    const output = `/a b\tf 644 0:0 \0/l\tl 777 0:0 /a b\0\0${hash}  /a b\0`;
    expect(parseTree(output)).toEqual({ "/a b": `f 644 0:0 ${hash}`, "/l": "l 777 0:0 /a b" });
  });
});

describe("a booted system", () => {
  test("runs units that survive a crash and a reboot", { timeout: FIRST_BUILD_MS }, async (ctx) => {
    ctx.skip(whyNoSystemd() !== undefined, whyNoSystemd());
    await using system = await bootSystemd({ shareNetwork: true });
    const before = await system.treeSnapshot(["/etc", "/usr/local", "/opt/none"]);

    await system.writeFile("/etc/systemd/system/probe.service", UNIT);
    const enabled = await system.exec("systemctl", ["enable", "--now", "probe.service"]);
    expect(enabled).toMatchObject({ code: 0 });
    await expect.poll(() => system.journal("probe.service")).toContain("hello from the unit");

    await system.exec("systemctl", ["kill", "--signal=KILL", "probe.service"]);
    const restarts = ["show", "--property=NRestarts,ActiveState", "probe.service"];
    const crashed = async () => (await system.exec("systemctl", restarts)).stdout;
    await expect.poll(crashed).toBe("NRestarts=1\nActiveState=active\n");

    await system.writeFile("/tmp/volatile", "");
    await system.reboot();
    expect(await crashed()).toBe("NRestarts=0\nActiveState=active\n");
    expect(await system.exists("/tmp/volatile")).toBe(false);

    await system.exec("systemctl", ["disable", "--now", "probe.service"]);
    expect(await system.treeSnapshot(["/etc", "/usr/local"])).not.toEqual(before);
    await system.exec("rm", ["/etc/systemd/system/probe.service"]);
    expect(await system.treeSnapshot(["/etc", "/usr/local"])).toEqual(before);
  });

  test("reaches this machine's loopback only when it shares the network", async (ctx) => {
    ctx.skip(whyNoSystemd() !== undefined, whyNoSystemd());
    await using server = createServer((_request, response) => response.end("from outside"));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

    await using inside = await bootSystemd({ shareNetwork: true });
    expect(await inside.exec("curl", ["-sS", url])).toMatchObject({ stdout: "from outside" });
    await using apart = await bootSystemd({ shareNetwork: false });
    expect(await apart.exec("curl", ["-sS", url])).toMatchObject({ code: 7 });
  });

  test("hands on input, environment and exit code, and hides the host", async (ctx) => {
    ctx.skip(whyNoSystemd() !== undefined, whyNoSystemd());
    await using system = await bootSystemd({ shareNetwork: true });
    const script = 'cat; printf %s "$GREETING$CI"; echo oops >&2; exit 7';
    const options = { input: "in ", env: { GREETING: "hi" } };
    const result = await system.exec("sh", ["-c", script], options);
    expect(result).toEqual({ code: 7, stdout: "in hi", stderr: "oops\n" });
    expect(await system.exists(import.meta.filename)).toBe(false);
    const touched = await system.exec("sh", ["-c", "echo 1 >/proc/sys/kernel/pid_max"]);
    expect(touched.code).not.toBe(0);
  });

  test("has its own machine id and never changes the cached root", async (ctx) => {
    ctx.skip(whyNoSystemd() !== undefined, whyNoSystemd());
    await using one = await bootSystemd({ shareNetwork: true });
    await using two = await bootSystemd({ shareNetwork: true });
    const ids = await Promise.all([one, two].map((system) => system.readFile("/etc/machine-id")));
    expect(ids).toEqual([expect.stringMatching(/^[0-9a-f]{32}\n$/), expect.any(String)]);
    expect(ids[0]).not.toBe(ids[1]);

    await one.writeFile("/usr/bin/left-over", "", "0755");
    expect(await two.exists("/usr/bin/left-over")).toBe(false);
    expect(existsSync(`${await ensureRootfs()}/usr/bin/left-over`)).toBe(false);
  });

  test("is gone when the process that booted it is killed", async (ctx) => {
    ctx.skip(whyNoSystemd() !== undefined, whyNoSystemd());
    const owner = startOwner();
    const [pid = ""] = await once(createInterface(owner.stdout), "line");
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    owner.kill("SIGKILL");
    await vi.waitUntil(() => !existsSync(`/proc/${pid}`), { timeout: 10_000 });
  });
});

/** Another Node process that boots a system, prints the host's id of a process in it, and waits. */
function startOwner(): ChildProcess & { stdout: NodeJS.ReadableStream } {
  const module = new URL("../support/systemd/system.ts", import.meta.url).href;
  const program = `
    const { bootSystemd } = await import(${JSON.stringify(module)});
    const system = await bootSystemd({ shareNetwork: true });
    console.log(system.initPid);
    setInterval(() => {}, 1000);`;
  const args = ["--input-type=module", "--eval", program];
  return spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
}
