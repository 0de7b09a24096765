import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningBackend } from "../support/backend/backend.ts";
import { eventually } from "../support/eventually.ts";
import { curlLine, newPairing } from "../support/installer/pairing.ts";
import { type RealRelease, realRelease } from "../support/installer/realRelease.ts";
import { serveRelease } from "../support/installer/servedRelease.ts";
import { whyNoSystemd } from "../support/systemd/available.ts";
import { ensureRootfs } from "../support/systemd/rootfs.ts";
import { bootSystemd, type System } from "../support/systemd/system.ts";

const FIRST_BUILD_MS = 400_000;
/** A newer agent gets a minute to connect. */
const INSTALL_MS = 150_000;
const PROGRAM = "/usr/local/bin/rport-agent";

const reason = whyNoSystemd();

describe.skipIf(reason !== undefined)("an installed agent on a real systemd", () => {
  let old: RealRelease;
  let newer: RealRelease;
  let broken: RealRelease;

  beforeAll(async () => {
    await ensureRootfs();
    old = await realRelease();
    newer = await realRelease('process.env.RPORT_RELEASE = "newer";');
    broken = await realRelease('if (process.argv[2] === "run") throw new Error("it is broken");');
  }, FIRST_BUILD_MS);
  afterAll(async () => {
    for (const release of [old, newer, broken]) await release?.[Symbol.asyncDispose]();
  });

  test("gets a newer program in place, and keeps its enrolment", async () => {
    await using system = await bootSystemd({ shareNetwork: true });
    await using served = await serveRelease(old);
    const { backend } = served;
    expect(await paste(system, backend)).toMatchObject({ code: 0 });
    const config = await system.readFile("/etc/rport/rport.conf");
    const hash = await hashOf(system);

    await served.replace(newer);
    const updated = await paste(system, backend);
    expect(updated).toMatchObject({ code: 0 });
    expect(updated.stdout).not.toContain("enrolled as");
    expect(await hashOf(system)).not.toBe(hash);
    expect(await system.readFile("/etc/rport/rport.conf")).toBe(config);
    expect(await system.exec(PROGRAM, ["status"])).toMatchObject({ code: 0 });
    expect(await leftovers(system)).toBe("");
  });

  test("stays, and runs, when the newer program does not connect", async () => {
    await using system = await bootSystemd({ shareNetwork: true });
    await using served = await serveRelease(old);
    const { backend } = served;
    expect(await paste(system, backend)).toMatchObject({ code: 0 });
    const hash = await hashOf(system);

    await served.replace(broken);
    const pasted = paste(system, backend);
    await eventually(async () => expect(await hashOf(system)).not.toBe(hash), INSTALL_MS);
    await served.restart();
    const failed = await pasted;
    expect(failed).toMatchObject({ code: 8 });
    expect(failed.stderr).toContain("it is broken");
    expect(failed.stderr).toContain("The old version runs again, and is connected.");
    expect(await hashOf(system)).toBe(hash);
    expect(await system.exec(PROGRAM, ["status"])).toMatchObject({ code: 0 });
    expect(await leftovers(system)).toBe("");
  });

  test("is enrolled anew when its secret was taken away, and keeps its id", async () => {
    await using system = await bootSystemd({ shareNetwork: true });
    await using served = await serveRelease(old);
    const { backend } = served;
    expect(await paste(system, backend)).toMatchObject({ code: 0 });
    const config = await system.readFile("/etc/rport/rport.conf");
    const spoilt = config.replace(/^auth = .*$/m, 'auth = "fleet-a:not-the-secret-any-more"');
    await system.exec("tee", ["/etc/rport/rport.conf"], { input: spoilt });
    await system.exec("systemctl", ["restart", "rport.service"]);
    const again = await paste(system, backend);
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).toContain("enrolled as");
    const renewed = await system.readFile("/etc/rport/rport.conf");
    expect(idIn(renewed)).toBe(idIn(config));
    expect(await backend.api("listClients")).toHaveLength(1);
  });

  test("continues from a configuration that an uninstallation kept, without a token", async () => {
    await using system = await bootSystemd({ shareNetwork: true });
    await using served = await serveRelease(old);
    const { backend } = served;
    expect(await paste(system, backend)).toMatchObject({ code: 0 });
    const config = await system.readFile("/etc/rport/rport.conf");
    const removed = await system.exec(PROGRAM, ["uninstall", "--keep-config"]);
    expect(removed).toMatchObject({ code: 0 });
    expect(await system.exec("id", ["rport"])).toMatchObject({ code: 1 });
    const kept = await system.exec("stat", ["-c", "%u %a", "/etc/rport/rport.conf"]);
    expect(kept.stdout).toBe("0 600\n");

    const again = await paste(system, backend, (line) =>
      line.replace("--token-stdin --proxy-stdin", "--yes"),
    );
    expect(again).toMatchObject({ code: 0 });
    expect(await system.readFile("/etc/rport/rport.conf")).toBe(config);
    expect(await system.exec(PROGRAM, ["status"])).toMatchObject({ code: 0 });
  });
});

async function paste(system: System, backend: RunningBackend, edit = (line: string) => line) {
  const line = curlLine(await newPairing(backend));
  return system.exec("sh", ["-c", edit(line)], { timeoutMs: INSTALL_MS });
}

async function hashOf(system: System): Promise<string> {
  return (await system.exec("sha256sum", [PROGRAM])).stdout;
}

/** What a run that ended badly may have left behind. */
async function leftovers(system: System): Promise<string> {
  const where = ["/usr/local", "/etc", "/tmp"];
  const names = ["-name", "*.new", "-o", "-name", "*.previous", "-o", "-name", "rport-??????"];
  return (await system.exec("find", [...where, ...names])).stdout;
}

function idIn(config: string): string | undefined {
  return /^id = "(.+)"$/m.exec(config)?.[1];
}
