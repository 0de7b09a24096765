import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { ClientId } from "@rport/protocol/ids";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { eventually } from "../support/eventually.ts";
import { CREDENTIAL, curlLine, newPairing } from "../support/installer/pairing.ts";
import { type RealRelease, realRelease } from "../support/installer/realRelease.ts";
import { wholeTree } from "../support/installer/wholeTree.ts";
import { whyNoSystemd } from "../support/systemd/available.ts";
import { ensureRootfs } from "../support/systemd/rootfs.ts";
import { bootSystemd, type System } from "../support/systemd/system.ts";

const FIRST_BUILD_MS = 400_000;
const INSTALL_MS = 60_000;
/** Half the agent's limit of memory at once, in all. */
const BULK_BYTES = 256 << 20;

const reason = whyNoSystemd();

describe.skipIf(reason !== undefined)(`on a real systemd${reason ? ` (${reason})` : ""}`, () => {
  let release: RealRelease;

  beforeAll(async () => {
    await ensureRootfs();
    release = await realRelease();
  }, FIRST_BUILD_MS);
  afterAll(async () => release?.[Symbol.asyncDispose]());

  test("the pasted line connects the host; uninstalling leaves no trace", async () => {
    await using backend = await startBackend({ agentFiles: release.directory });
    await using system = await bootSystemd({ shareNetwork: true });
    const before = await wholeTree(system);
    const { commands, token } = await newPairing(backend);

    const installed = await paste(system, curlLine({ commands }));
    expect(installed).toMatchObject({ code: 0 });
    expect(installed.stdout).toContain(`enrolled as ${CREDENTIAL}, client `);
    const id = (await system.readFile("/etc/machine-id")).trim() as ClientId;
    const client = await backend.api("getClient", { params: { clientId: id } });
    expect(client).toMatchObject({ hostname: "rport-test", connection_state: "connected" });

    await expectPrivate(system, token);
    await expectConfined(system);

    const program = "/usr/local/bin/rport-agent";
    expect(await system.exec(program, ["status"])).toMatchObject({ code: 0 });
    const removed = await system.exec(program, ["uninstall"]);
    expect(removed).toMatchObject({ code: 0, stderr: "" });
    expect(await wholeTree(system)).toEqual(before);
    const failed = await system.exec("systemctl", ["list-units", "--all", "--no-legend", "rport*"]);
    expect(failed.stdout).toBe("");
    await eventually(async () => {
      const gone = await backend.api("getClient", { params: { clientId: id } });
      expect(gone.connection_state).toBe("disconnected");
    });
  });

  test("PAIR-27: the agent comes back after a crash, a restart and a reboot; tunnels work", async () => {
    await using backend = await startBackend({ agentFiles: release.directory });
    await using system = await bootSystemd({ shareNetwork: true });
    const { commands } = await newPairing(backend);
    expect(await paste(system, curlLine({ commands }))).toMatchObject({ code: 0 });
    const clientId = (await system.readFile("/etc/machine-id")).trim() as ClientId;

    expect(await greet(backend, clientId)).toBe("hello through the tunnel");
    expect(await flow(backend, clientId)).toBe(BULK_BYTES);
    await expectBounded(system);
    const connectedAt = async () =>
      (await backend.api("getClient", { params: { clientId } })).connected_at;
    const first = await connectedAt();
    await system.exec("systemctl", ["kill", "--signal=KILL", "rport.service"]);
    const second = await eventually(async () => {
      const at = await connectedAt();
      expect(at).not.toBe(first);
      expect(await system.exec("rport-agent", ["status"])).toMatchObject({ code: 0 });
      return at;
    }, 20_000);
    await system.reboot();
    await eventually(async () => {
      expect(await connectedAt()).not.toBe(second);
      expect(await system.exec("rport-agent", ["status"])).toMatchObject({ code: 0 });
    }, 20_000);
    expect(await greet(backend, clientId)).toBe("hello through the tunnel");
  });

  test("the same command again changes nothing and spends no token", async () => {
    await using backend = await startBackend({ agentFiles: release.directory });
    await using system = await bootSystemd({ shareNetwork: true });
    expect(await paste(system, curlLine(await newPairing(backend)))).toMatchObject({
      code: 0,
    });
    const before = await wholeTree(system, ["/var/lib/rport"]);
    const process = await mainPid(system);
    const { commands, pairing } = await newPairing(backend);
    const again = await paste(system, curlLine({ commands }));
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).toContain("already enrolled");
    expect(await wholeTree(system, ["/var/lib/rport"])).toEqual(before);
    expect(await mainPid(system)).toBe(process);
    const list = await backend.api("listPairings");
    expect(list.find(({ id }) => id === pairing.id)).toMatchObject({ state: "active" });
  });

  test("a used token is status 4 and leaves the host as it was", async () => {
    await using backend = await startBackend({ agentFiles: release.directory });
    await using system = await bootSystemd({ shareNetwork: true });
    const before = await wholeTree(system);
    const { token, pairing } = await newPairing(backend);
    await backend.api("revokePairing", { params: { pairingId: pairing.id } });
    const result = await runScript(system, release, { url: backend.url, token });
    expect(result).toMatchObject({ code: 4 });
    expect(result.stderr).toContain("unknown, expired or already used");
    expect(await wholeTree(system)).toEqual(before);
  });

  test("an agent that cannot connect is status 8, says why, and is taken back", async () => {
    const serverUrls = ["http://127.0.0.1:9"];
    await using backend = await startBackend({ agentFiles: release.directory, serverUrls });
    await using system = await bootSystemd({ shareNetwork: true });
    const before = await wholeTree(system);
    const { token } = await newPairing(backend);
    const result = await runScript(system, release, { url: backend.url, token });
    expect(result).toMatchObject({ code: 8 });
    expect(result.stderr).toContain("127.0.0.1:9");
    expect(result.stderr).not.toContain(token);
    expect(await wholeTree(system)).toEqual(before);
  });

  test("a host where rport.service is another program's is left alone", async () => {
    await using backend = await startBackend({ agentFiles: release.directory });
    await using system = await bootSystemd({ shareNetwork: true });
    await system.writeFile("/etc/systemd/system/rport.service", "[Service]\nExecStart=/bin/true\n");
    await system.exec("systemctl", ["daemon-reload"]);
    const before = await wholeTree(system);
    const { commands, pairing } = await newPairing(backend);
    const result = await paste(system, curlLine({ commands }));
    expect(result).toMatchObject({ code: 1 });
    expect(result.stderr).toContain("belongs to another program");
    expect(await wholeTree(system)).toEqual(before);
    expect((await backend.api("listPairings"))[0]).toMatchObject({ id: pairing.id, uses_left: 1 });

    const copied = "/usr/local/bin/rport-agent";
    await system.writeFile(
      copied,
      await readFile(join(release.directory, "rport-agent-linux-x64")),
    );
    await system.exec("chmod", ["755", copied]);
    const removed = await system.exec(copied, ["uninstall"]);
    expect(removed).toMatchObject({ code: 1 });
    expect(removed.stderr).toContain("belongs to another program");
    expect(await system.exists(copied)).toBe(true);
  });
});

/** What a person does: pastes the line into a shell. */
function paste(system: System, line: string) {
  return system.exec("sh", ["-c", line], { timeoutMs: INSTALL_MS });
}

/** Runs the installer from a file, as somebody who saved it does. */
async function runScript(
  system: System,
  release: RealRelease,
  { url, token }: { url: string; token: string },
) {
  await system.writeFile("/tmp/installer", await readFile(release.script));
  const args = ["/tmp/installer", "--server", url, "--token-stdin"];
  return system.exec("sh", args, { input: token, timeoutMs: INSTALL_MS });
}

async function mainPid(system: System): Promise<string> {
  const show = ["show", "--property=MainPID", "rport.service"];
  return (await system.exec("systemctl", show)).stdout;
}

/** Neither the token nor the secret may be anywhere but in the one file for it. */
async function expectPrivate(system: System, token: string): Promise<void> {
  const config = await system.readFile("/etc/rport/rport.conf");
  const secret = /auth = "[^:]+:([^"]+)"/.exec(config)?.[1] ?? "";
  expect(secret.length).toBeGreaterThan(20);
  const owned = await system.exec("stat", ["-c", "%U:%G %a", "/etc/rport/rport.conf"]);
  expect(owned.stdout).toBe("rport:rport 600\n");
  const files = await system.exec("grep", [
    ...["-rlF", "-e", secret, "-e", token],
    ...["/etc", "/var", "/run", "/tmp", "/root", "/home"],
  ]);
  expect(files.stdout).toBe("/etc/rport/rport.conf\n");
  const processes = 'cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n"';
  const journal = await system.exec("journalctl", ["--no-pager", "--output=export"]);
  const said = (await system.exec("sh", ["-c", processes])).stdout + journal.stdout;
  expect(said).toContain("rport-agent");
  expect(said).not.toContain(secret);
  expect(said).not.toContain(token);
}

/** The account cannot write its own program, and the unit takes away what is not needed. */
async function expectConfined(system: System): Promise<void> {
  const security = await system.exec("systemd-analyze", [
    "security",
    "--no-pager",
    "rport.service",
  ]);
  const exposure = Number(
    /Overall exposure level for rport.service: ([\d.]+)/.exec(security.stdout)?.[1],
  );
  expect(exposure).toBeLessThanOrEqual(2);
  const as = ["--user=rport", "--", "sh", "-c"];
  const script = "test -w /usr/local/bin/rport-agent || test -w /etc/systemd/system/rport.service";
  expect(await system.exec("runuser", [...as, script])).toMatchObject({ code: 1 });
  expect(await system.exec("runuser", [...as, "test -w /etc/rport/rport.conf"])).toMatchObject({
    code: 0,
  });
}

/** Four transfers at once, read as fast as they come: how many bytes arrived. */
async function flow(backend: RunningBackend, clientId: ClientId): Promise<number> {
  const chunk = Buffer.alloc(1 << 16);
  const chunks = function* () {
    for (let sent = 0; sent < BULK_BYTES / 4; sent += chunk.length) yield chunk;
  };
  await using server = createServer((socket) => void Readable.from(chunks()).pipe(socket));
  server.on("connection", (socket) => socket.on("error", () => {}));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const remote = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const tunnel = await backend.api("createTunnel", { params: { clientId }, query: { remote } });
  const receive = async () => {
    let bytes = 0;
    for await (const part of connect(Number(tunnel.lport), "127.0.0.1")) bytes += part.length;
    return bytes;
  };
  const received = await Promise.all([receive(), receive(), receive(), receive()]);
  return received.reduce((sum, bytes) => sum + bytes);
}

/** The agent's limits are in force, and it was not ended by one of them. */
async function expectBounded(system: System): Promise<void> {
  const names = ["MemoryMax", "MemorySwapMax", "TasksMax", "OOMScoreAdjust", "NRestarts"];
  const show = await system.exec("systemctl", [
    "show",
    ...names.map((name) => `--property=${name}`),
    "rport.service",
  ]);
  const values = Object.fromEntries(
    show.stdout
      .trim()
      .split("\n")
      .map((line) => line.split("=")),
  );
  expect(values).toEqual({
    MemoryMax: String(512 << 20),
    MemorySwapMax: String(128 << 20),
    TasksMax: "512",
    OOMScoreAdjust: "500",
    NRestarts: "0",
  });
}

/** Opens a tunnel to a server of this machine, which the host sees on its 127.0.0.1, too. */
async function greet(backend: RunningBackend, clientId: ClientId): Promise<string> {
  await using server = createServer((socket) => {
    // The first connection only looks whether somebody listens.
    socket.on("error", () => {});
    socket.end("hello through the tunnel");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const remote = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const tunnel = await backend.api("createTunnel", { params: { clientId }, query: { remote } });
  return await text(connect(Number(tunnel.lport), "127.0.0.1"));
}
