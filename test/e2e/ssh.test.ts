import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { handleOf } from "../../extension/src/ssh/hosts.ts";
import { startAgent } from "../support/agents/agent.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { Canaries } from "../support/canaries.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";
import { tempDirectory } from "../support/tempDirectory.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import { setSetting } from "../support/vscode/setUp.ts";
import { addByToken } from "../support/vscode/signIn.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

const run = promisify(execFile);

/** For what windows, a server and an agent need together on a busy machine. */
const SLOW_MS = 60_000;
const SCP_BYTES = 5_000_000;

/** What OpenSSH's own programs came to. */
interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Real OpenSSH, at both ends, with an editor between them. */
describe("ssh to hosts by their names", () => {
  const resources = new AsyncDisposableStack();
  const canaries = new Canaries();
  let sshd: Sshd;
  let backend: RunningBackend;
  let other: RunningBackend;
  let rport: RportEditor;
  let workbench: Workbench;
  let folder: string;
  let config: string;
  /** What somebody has written: lines of Windows, the last one without an end. */
  let own: Buffer;
  let known: string;

  beforeAll(async () => {
    sshd = resources.use(await startSshd());
    backend = resources.use(await startBackend());
    other = resources.use(await startBackend());
    for (const each of [backend, other]) await joinHost(each);
    canaries.add("the token of the local backend", backend.token);
    canaries.add("the token of the other server", other.token);
    const { path } = resources.use(await tempDirectory());
    folder = join(path, "some body", ".ssh");
    config = join(folder, "config");
    known = join(path, "known_hosts");
    await mkdir(folder, { recursive: true });
    own = Buffer.from(
      [
        "# mine",
        "Host *.rport",
        `  Port ${sshd.port}`,
        `  IdentityFile ${sshd.keyFile}`,
        `  UserKnownHostsFile ${known}`,
        "  StrictHostKeyChecking accept-new",
        "  BatchMode yes",
      ].join("\r\n"),
    );
    await writeFile(config, own, { mode: 0o600 });
    const servers = [{ name: "Local Backend", url: "local" }];
    const settings = {
      "rport.servers": servers,
      "rport.ssh.configFile": config,
      "rport.ssh.user": sshd.user,
    };
    rport = resources.use(await openRport(backend.dataDir, { settings }));
    workbench = rport.workbench;
    await rport.clients.row("web-01").waitFor({ timeout: SLOW_MS });
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  async function joinHost(server: RunningBackend): Promise<void> {
    const { password } = await server.api("createCredential", { body: { id: "hosts" } });
    const { fingerprint } = server;
    const client = { fingerprint, auth: `hosts:${password}`, name: "web-01", id: "f00d" };
    const agent = resources.use(await startAgent({ server: server.url, client }));
    await agent.online();
  }

  /** Runs a program of OpenSSH with the configuration of above. */
  async function openssh(program: string, ...args: readonly string[]): Promise<Ended> {
    try {
      return { code: 0, ...(await run(program, ["-F", config, ...args])) };
    } catch (error) {
      return error as Ended;
    }
  }

  const ssh = (...args: readonly string[]) => openssh("ssh", ...args);

  /** Where the extension keeps what lasts, for all windows. */
  const storage = () =>
    join(rport.editor.server.folders.userData, "User", "globalStorage", "rport.rport");

  /** Waits until `ssh` is told of a name. */
  async function told(name: string): Promise<void> {
    const asked = async () => (await ssh("-G", name)).stdout;
    await expect.poll(asked, { timeout: SLOW_MS }).toMatch(/^proxycommand \/bin\/sh .* connect /m);
  }

  test("changes nothing before somebody has agreed, then one line", async () => {
    await workbench.command("RPort: Set Up ssh for Hosts...");
    await workbench.dialog("Let ssh find your hosts").waitFor({ timeout: SLOW_MS });
    await workbench.screenshot("ssh-set-up");
    expect(await readFile(config)).toEqual(own);
    expect(await readdir(folder)).toEqual(["config"]);
    await workbench.answerDialog("Let ssh find your hosts", "Set Up");
    await told("web-01.rport");
    const line = Buffer.from(`Include "${folder}/rport.d/*.conf"\r\n`);
    expect(await readFile(config)).toEqual(Buffer.concat([line, own]));
  });

  test("runs a command, and knows the host by its ID", async () => {
    const { code, stdout, stderr } = await ssh("web-01.rport", "echo $((6 * 7))");
    expect({ code, stdout, stderr: withoutWarning(stderr) }).toEqual({
      code: 0,
      stdout: "42\n",
      stderr: "",
    });
    const handle = handleOf({ serverKey: "local", id: "f00d" });
    expect(await readFile(known, "utf8")).toBe(`${handle} ${sshd.hostKey}\n`);
    expect((await ssh("web-01.rport", "exit 7")).code).toBe(7);
  });

  test("carries a file of five megabytes there and back, exactly", async () => {
    const { path } = resources.use(await tempDirectory());
    const [from, there, back] = ["from", "there", "back"].map((name) => join(path, name));
    const bytes = randomBytes(SCP_BYTES);
    await writeFile(String(from), bytes);
    for (const [source, target] of [
      [from, `web-01.rport:${there}`],
      [`web-01.rport:${there}`, back],
    ]) {
      const { code, stderr } = await openssh("scp", "-q", String(source), String(target));
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    }
    expect((await readFile(String(there))).equals(bytes)).toBe(true);
    expect((await readFile(String(back))).equals(bytes)).toBe(true);
  });

  test("reaches what is behind a host, and says in a sentence what nobody answers", async () => {
    const handle = handleOf({ serverKey: "local", id: "f00d" });
    const program = /proxycommand (.*) connect /.exec((await ssh("-G", handle)).stdout)?.[1];
    const behind = `ProxyCommand=${program} connect f00d 127.0.0.2:${sshd.port}`;
    expect((await ssh("-o", behind, "web-01.rport", "true")).code).toBe(0);
    const nobody = await ssh("-p", "1", "web-01.rport", "true");
    expect(nobody.code).toBe(255);
    expect(nobody.stderr).toMatch(/^rport: [A-Z][^\n]+[.?]\s/);
  });

  test("shows no secret to who looks at processes and files while it is connected", async () => {
    const child = spawn("ssh", ["-F", config, "web-01.rport", "echo here; cat"]);
    try {
      await once(child.stdout, "data");
      const seen = await processes();
      expect(seen.some((text) => text.includes("bridge.cjs"))).toBe(true);
      for (const text of seen) expect(canaries.in(text)).toEqual([]);
    } finally {
      child.stdin.end();
      await once(child, "close");
    }
    for (const place of [folder, storage()]) {
      for (const entry of await readdir(place, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const path = join(entry.parentPath, entry.name);
        expect(canaries.in(await readFile(path)), path).toEqual([]);
      }
    }
  });

  test("copies what to type, and goes by the account that was chosen for one host", async () => {
    await rport.clients.contextMenu("web-01", "Copy SSH Command");
    await expect.poll(() => workbench.clipboard()).toBe("ssh web-01.rport");
    await rport.clients.contextMenu("web-01", "Set SSH User...");
    await workbench.quickInput.answer("An account of that host", "deploy");
    const user = async () => /^user (.*)$/m.exec((await ssh("-G", "web-01.rport")).stdout)?.[1];
    await expect.poll(user, { timeout: SLOW_MS }).toBe("deploy");
    await setSetting(workbench, { name: "rport.ssh.users" });
    await expect.poll(user, { timeout: SLOW_MS }).toBe(sshd.user);
  });

  test("says why there is no Remote-SSH in a browser", async () => {
    await rport.clients.contextMenu("web-01", "Connect with Remote-SSH...");
    await workbench.said("This editor runs in a browser, where Remote-SSH does not");
    await workbench.screenshot("ssh-no-remote");
    await workbench.clearToasts();
  });

  test("reaches each of two hosts of one name by its server's, and neither by the name alone", async () => {
    await workbench.command("RPort: Add Server...");
    await addByToken(workbench, other);
    const label = new URL(other.url).host.replaceAll(/[^0-9]+/g, "-");
    await told(`web-01.${label}.rport`);
    for (const name of [`web-01.${label}.rport`, "web-01.local-backend.rport"]) {
      expect(await ssh(name, "true"), name).toMatchObject({ code: 0 });
    }
    const handles = [other.url, "local"].map((serverKey) => handleOf({ serverKey, id: "f00d" }));
    const keys = await readFile(known, "utf8");
    for (const handle of handles) expect(keys).toContain(`${handle} ${sshd.hostKey}\n`);
    const { code, stderr } = await ssh("web-01.rport", "true");
    expect(code).toBe(255);
    expect(stderr).toMatch(
      /^rport: Several hosts are called web-01\.rport: .*web-01\.local-backend/,
    );
    const audited = await other.api("listAudit", { query: {} });
    expect(JSON.stringify(audited)).toContain(`127.0.0.1:${sshd.port}`);
  });

  test("works again when the window was reloaded, and says that none is open when it is closed", async () => {
    const code = async () => (await ssh("web-01.local-backend.rport", "true")).code;
    await workbench.reload();
    // a loaded machine needs longer for a window than somebody is let wait
    await expect.poll(code, { timeout: SLOW_MS }).toBe(0);
    await workbench.close();
    const closed = async () => (await ssh("web-01.local-backend.rport", "true")).stderr;
    await expect
      .poll(closed, { timeout: SLOW_MS })
      .toMatch(
        /^rport: No window of the editor is open: open VS Code and sign in to the server\.\s/,
      );
    await workbench.open();
    await workbench.openContainer("RPort");
    await rport.clients.row("web-01").first().waitFor({ timeout: SLOW_MS });
    expect(await ssh("web-01.local-backend.rport", "true")).toMatchObject({ code: 0 });
  });

  test("leaves every byte as it was when somebody does not want it any more", async () => {
    await workbench.command("RPort: Remove Hosts from ssh...");
    await workbench.answerDialog("Remove your hosts from ssh?", "Remove");
    await expect.poll(() => readFile(config), { timeout: SLOW_MS }).toEqual(own);
    expect(await readdir(folder)).toEqual(["config"]);
    await expect
      .poll(() => readdir(storage()), { timeout: SLOW_MS })
      .not.toContain("ssh-hosts.json");
    expect(workbench.errors).toEqual([]);
  });
});

/** What `ssh` says of a host that it has not seen before. */
function withoutWarning(stderr: string): string {
  return stderr.replace(/^Warning: Permanently added .*\r?\n/, "");
}

/** The arguments and the environment of all processes. */
async function processes(): Promise<readonly string[]> {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const read = (path: string) => readFile(path, "latin1").catch(() => "");
  return Promise.all(
    ids.map(
      async (id) => (await read(`/proc/${id}/cmdline`)) + (await read(`/proc/${id}/environ`)),
    ),
  );
}
