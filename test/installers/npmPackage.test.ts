import { cp, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ClientId } from "@rport/protocol/ids";
import { VERSION } from "@rport/protocol/version";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addAgent } from "../support/agents/addedAgent.ts";
import { installedAgent } from "../support/agents/installedAgent.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/freePort.ts";
import { Guide } from "../support/guide.ts";
import { type NpmBackend, NpmFolder, npmArchives } from "../support/installer/npmPackages.ts";
import { CREDENTIAL, curlLine, withFlags } from "../support/installer/pairing.ts";
import { nodeMajor, nodeOfMachine } from "../support/nodeOfMachine.ts";
import { whyNoSystemd } from "../support/systemd/available.ts";
import { answers, expectConfined, follow } from "../support/systemd/followed.ts";
import { bootSystemd } from "../support/systemd/system.ts";
import { tempDirectory } from "../support/tempDirectory.ts";

const FIRST_BUILD_MS = 800_000;
const ONLINE_MS = 30_000;
const PASSWORD = "a good password 1234";
/** An extension that has the same bundle in it is to stay below 2 MB. */
const PACKAGE_MAX_BYTES = 1_500_000;
/** The scripts are the same for all ids. */
const ANY_PAIRING = "0123456789ABCDEF";
const LAUNCHER = "node_modules/.bin/rport-backend";
const SCRIPT = "node_modules/rport-backend/bin/rport-backend.cjs";
/** Of docs/install.md. */
const SECTION = "With npm";
const NPX = ["npx", "rport-backend"];
const BRIDGE = "bin/rport.cjs";

const old = nodeOfMachine();
const isOld = old !== undefined && nodeMajor(old) < 24;
const whyNotOld = isOld
  ? undefined
  : "this machine's Node is not older than the one that is needed";

describe("the npm packages", () => {
  let archives: readonly string[];
  /** From a shell with an older Node where there is one, and from one with the project's. */
  let older: NpmFolder;
  let newer: NpmFolder;

  beforeAll(async () => {
    archives = await npmArchives();
    older = await NpmFolder.install(archives, isOld ? old : process.execPath);
    newer = await older.withNode(process.execPath);
  }, FIRST_BUILD_MS);
  afterAll(async () => {
    await newer?.[Symbol.asyncDispose]();
    await older?.[Symbol.asyncDispose]();
  });

  const packageFile = async (...path: readonly string[]) =>
    JSON.parse(await readFile(join(older.path, "node_modules", ...path), "utf8"));
  const clientsOf = async ({ api }: NpmBackend) => {
    const list = await api.call("listClients");
    const ids = list.map(({ id }) => id as ClientId);
    return Promise.all(ids.map((clientId) => api.call("getClient", { params: { clientId } })));
  };
  const online = (backend: NpmBackend) =>
    eventually(async () => {
      expect(await clientsOf(backend)).toMatchObject([{ connection_state: "connected" }]);
    }, ONLINE_MS);

  test("are small, say what they need, and run nothing when they are installed", async () => {
    const names = await readdir(join(older.path, "node_modules"));
    expect(names).toEqual(expect.arrayContaining(["rport-backend", "rport-agent-linux-x64"]));
    expect(names.filter((name) => !/^(\.|node-|rport-)/.test(name))).toEqual([]);
    const facts = await packageFile("rport-backend", "package.json");
    expect(facts).toMatchObject({ version: VERSION, license: "MIT" });
    for (const key of ["private", "scripts", "repository"]) expect(facts).not.toHaveProperty(key);
    const [backend = ""] = archives.filter((path) => path.includes("rport-backend"));
    expect((await stat(backend)).size).toBeLessThan(PACKAGE_MAX_BYTES);
    const files = await readdir(join(older.path, "node_modules/rport-backend"), {
      recursive: true,
    });
    expect(files.filter((name) => /\.(map|ts)$/.test(name))).toEqual([]);
    for (const place of ["lib", "agent"])
      expect(files).toContain(`${place}/THIRD-PARTY-NOTICES.txt`);
    expect(files).toEqual(expect.arrayContaining(["LICENSE", "README.md"]));
  });

  test("run on an older Node and on a new one, and keep exit codes", async (ctx) => {
    for (const [folder, words] of [
      [older, NPX],
      [newer, [LAUNCHER]],
    ] as const) {
      const version = await folder.run([...words, "--version"]);
      expect(version).toMatchObject({ code: 0, stdout: `rport-backend ${VERSION}\n` });
      const wrong = await folder.run([...words, "--no-such-flag"]);
      expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("no-such-flag") });
    }
    ctx.skip(whyNotOld !== undefined, whyNotOld);
    expect((await older.run(["node", "--version"])).stdout).not.toMatch(/^v24/);
  });

  test("S-43: serve a host, people and the next start, which finds all of it", async () => {
    await using data = await tempDirectory();
    await using host = await installedAgent();
    const port = await freePort();
    const words = ["--port", String(port)];
    let fingerprint: string;
    {
      await using backend = await older.start([...NPX, ...words], data.path);
      fingerprint = backend.endpoint.fingerprint;
      const { api } = backend;
      await api.call("createCredential", { body: { id: CREDENTIAL } });
      const pairing = await api.call("createPairing", { body: { credential_id: CREDENTIAL } });
      const pasted = withFlags(
        curlLine(pairing).replace("| sudo sh", "| sh"),
        `--prefix ${host.prefix}`,
      );
      expect(await host.paste(pasted)).toMatchObject({ code: 0 });
      await online(backend);
      const add = ["user", "add", "anna", "--administrator", "--data-dir", data.path];
      const made = await older.run([...NPX, ...add], { input: `${PASSWORD}\n` });
      expect(made).toMatchObject({ code: 0, stdout: expect.stringContaining("anna") });
    }
    await using again = await newer.start([LAUNCHER, ...words], data.path);
    expect(again.endpoint.fingerprint).toBe(fingerprint);
    await online(again);
    const basic = Buffer.from(`anna:${PASSWORD}`).toString("base64");
    const headers = { authorization: `Basic ${basic}` };
    const login = await fetch(`${again.endpoint.url}/api/v1/login`, { headers });
    expect(login.status).toBe(200);
    expect(await host.uninstall()).toMatchObject({ code: 0 });
    again.signal("SIGTERM");
    expect(await again.ended).toBe(0);
  });

  test("end their server when npx is ended, though its shell says nothing", async () => {
    await using data = await tempDirectory();
    await using backend = await older.start([...NPX, "--port", "0"], data.path);
    const { pid } = backend.endpoint;
    expect(isAlive(pid)).toBe(true);
    backend.signal("SIGTERM");
    await backend.ended;
    await eventually(() => expect(isAlive(pid)).toBe(false), ONLINE_MS);
    expect(await readdir(data.path)).not.toContain("endpoint.json");
  });

  test("run a pairing service alone", async () => {
    const words = [LAUNCHER, "pairing", "--port", "0"];
    const service = await newer.startUntil(words, /Address +(http:\S+)/);
    const answer = await fetch(`${service.found[1]}/healthz`);
    expect(await answer.json()).toEqual({ alive: true });
    await service.stop();
    expect(await service.ended).toBe(0);
  });

  test("S-44: offer executables that are installed beside, of the same version only", async () => {
    await using data = await tempDirectory();
    const place = (target: string) => join(older.path, "node_modules", `rport-agent-${target}`);
    const program = "an executable\n";
    const lines: string[] = [];
    for (const [target, version, script] of [
      ["linux-arm64", VERSION, "sh"],
      ["windows-x64", VERSION, "ps1"],
      ["darwin-x64", "9.9.9", "sh"],
    ] as const) {
      lines.push(await addAgent(place(target), { target, version, program, script }));
      await cp(join(older.path, "package.json"), join(place(target), "package.json"));
    }
    await using backend = await newer.start([LAUNCHER, "--port", "0"], data.path);
    const { agent_targets: targets } = await backend.api.call("getStatus");
    expect(targets?.available).toEqual(
      expect.arrayContaining(["linux-x64", "linux-arm64", "node"]),
    );
    expect(targets?.missing).toContain("darwin-x64");
    expect(backend.said()).toMatch(/another version.*"darwin-x64".*9\.9\.9/);
    expect(backend.said()).toContain(`npm install rport-agent-NAME@${VERSION}`);
    const { url } = backend.endpoint;
    const scripts = ["linux", "windows"].map(async (os) =>
      (await fetch(`${url}/p/${ANY_PAIRING}?os=${os}`)).text(),
    );
    const [sh = "", ps1 = ""] = await Promise.all(scripts);
    expect(sh).toMatch(/\nMANIFEST='linux-x64 [^']*\nnode [^\n']*'\n/);
    expect(sh).toContain(`\n${lines[0]}\n`);
    expect(ps1).toContain(`\n$RportManifest = @'\n${lines[1]}\n`);
    const whole = await fetch(`${url}/agent/${VERSION}/rport-agent-linux-arm64`, {
      headers: { range: "bytes=3-5" },
    });
    expect([whole.status, await whole.text()]).toEqual([200, program]);
  });

  test("run as a confined service, by docs/install.md as it is written", async (ctx) => {
    ctx.skip(whyNoSystemd() !== undefined, whyNoSystemd());
    // There is nothing to fetch from inside, hence no first block, no npm and no Node but the package's.
    const npx = `node_modules/.bin/node ${SCRIPT}`;
    const guide = await Guide.read("install.md", { "npx rport-backend user": `${npx} user` });
    await using system = await bootSystemd({ shareNetwork: false });
    const unpacking =
      "mkdir -p /opt/rport-backend && tar -xf - -C /opt/rport-backend --no-same-owner";
    const unpacked = await system.exec("sh", ["-c", unpacking], { input: await older.archive() });
    expect(unpacked).toMatchObject({ code: 0 });
    await follow(system, guide.script(SECTION, 2));
    await answers(system, "http://127.0.0.1:8080/healthz");
    await expectConfined(system, "rport-backend", "/opt/rport-backend");
    const made = await follow(system, guide.script(SECTION, 3), `${PASSWORD}\n`.repeat(2));
    expect(made).toContain("NAME");
    expect(await system.journal("rport-backend.service")).not.toContain("cannot be used");
  });

  test("have the program that carries connections, which says its version, and that no editor is there", async () => {
    await using home = await tempDirectory();
    const environment = { HOME: home.path, RPORT_STORAGE: "" };
    const rport = (...args: readonly string[]) =>
      newer.run(["env", ...settings(environment), "node_modules/.bin/rport", ...args]);
    expect(await rport("--version")).toMatchObject({ code: 0, stdout: `rport ${VERSION}\n` });
    const help = await rport("--help");
    expect(help).toMatchObject({ code: 0, stderr: "" });
    expect(help.stdout).toMatch(/^Usage: rport connect CLIENT \[HOST:\]PORT\n/);
    const wrong = await rport("list");
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toMatch(/^rport: There is no command list\. Usage: .*\n$/);
    const alone = await rport("connect", "web-01", "22");
    expect(alone).toMatchObject({ code: 3, stdout: "" });
    expect(alone.stderr).toMatch(/^rport: No editor of yours has RPort\. .*\n$/);
    const facts = await packageFile("rport-bridge", "package.json");
    expect(facts).toMatchObject({ version: VERSION, license: "MIT", bin: { rport: BRIDGE } });
    for (const key of ["dependencies", "scripts"]) expect(facts).not.toHaveProperty(key);
  });

  test("say in a sentence what is needed where there is no Node for them", async (ctx) => {
    ctx.skip(whyNotOld !== undefined, whyNotOld);
    await using lonely = await tempDirectory();
    const bin = join(lonely.path, "bin");
    await cp(join(older.path, "node_modules/rport-backend/bin"), bin, { recursive: true });
    const result = await older.run(["node", join(bin, "rport-backend.cjs"), "--version"]);
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toMatch(/^rport-backend: Node 24 or newer is needed, this is \d+.*\n$/);
    const bridge = await older.run([
      "node",
      join("node_modules/rport-bridge", BRIDGE),
      "--version",
    ]);
    const isTooOld = nodeMajor(old ?? "") < 22;
    expect(bridge).toMatchObject({ code: isTooOld ? 255 : 0 });
    if (isTooOld) expect(bridge.stderr).toMatch(/^rport: Node 22 or newer is needed, this is \d+/);
  });
});

function settings(environment: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(environment).map(([name, value]) => `${name}=${value}`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
