import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../support/freePort.ts";
import { photographFailures } from "../support/vscode/rport.ts";
import {
  BEHIND,
  BRIDGE,
  openSshScene,
  SLOW_MS,
  type SshScene,
} from "../support/vscode/sshScene.ts";

/** A tree of these has more than three megabytes, and a file that needs many packets. */
const FILE_BYTES = [1, 700, 65_536, 300_000, 2_900_000];
const PARALLEL = 20;
const SSH_FAILED = 255;

/** What people use that is built on `ssh`, with an editor between it and its hosts. */
describe("programs that use ssh", () => {
  const resources = new AsyncDisposableStack();
  let scene: SshScene;

  beforeAll(async () => {
    scene = resources.use(await openSshScene());
    await scene.addHost("db-01");
    await scene.told("db-01.rport");
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => scene.workbench);

  async function tree(name: string): Promise<string> {
    const folder = join(scene.folder, name);
    await mkdir(join(folder, "below"), { recursive: true });
    for (const bytes of FILE_BYTES) {
      await writeFile(join(folder, "below", `of ${bytes}`), randomBytes(bytes));
    }
    return folder;
  }

  const rsync = (...args: readonly string[]) =>
    scene.execute("rsync", ["-e", `ssh -F ${scene.config}`, ...args]);

  /** A program that says `SSH-` once it has reached the host. */
  function greeted(program: string, args: readonly string[]) {
    const child = spawn(program, args, { env: scene.env, cwd: scene.folder });
    const greeting = Promise.withResolvers<void>();
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (text.includes("SSH-")) greeting.resolve();
    });
    const ended = once(child, "close").then(([code]) => ({ code, stderr }));
    return { isThere: greeting.promise, ended };
  }

  test("rsync copies a tree there and back, and finds nothing else by its checksums", async () => {
    const from = await tree("from");
    const [there, back] = ["there", "back"].map((name) => join(scene.folder, name));
    for (const [source, target] of [
      [`${from}/`, `web-01.rport:${there}/`],
      [`web-01.rport:${there}/`, `${back}/`],
    ]) {
      expect(await rsync("-a", String(source), String(target))).toMatchObject({ code: 0 });
    }
    const differing = await rsync("-anc", "--itemize-changes", `${from}/`, `db-01.rport:${back}/`);
    expect(differing).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect((await scene.execute("diff", ["-r", from, String(back)])).code).toBe(0);
  });

  test("sftp and scp put a file there and get it back", async () => {
    const bytes = randomBytes(300_000);
    const path = (name: string) => join(scene.folder, name);
    await writeFile(path("put"), bytes);
    await writeFile(
      path("batch"),
      `put ${path("put")} ${path("held")}\nget ${path("held")} ${path("got")}\n`,
    );
    const { config } = scene;
    const sftp = await scene.execute("sftp", ["-F", config, "-b", path("batch"), "web-01.rport"]);
    expect(sftp).toMatchObject({ code: 0 });
    expect((await readFile(path("got"))).equals(bytes)).toBe(true);
    const scp = [
      "-F",
      config,
      "-q",
      `web-01.rport:${path("got")}`,
      `db-01.rport:${path("copied")}`,
    ];
    expect(await scene.execute("scp", ["-3", ...scp])).toMatchObject({ code: 0 });
    expect((await readFile(path("copied"))).equals(bytes)).toBe(true);
  });

  test("git clones a repository, and pushes what is new", async () => {
    const git = async (...args: readonly string[]) => {
      const who = ["-c", "user.name=Anna", "-c", "user.email=anna@example.com"];
      const ended = await scene.execute("git", [...who, ...args]);
      expect(ended, args.join(" ")).toMatchObject({ code: 0 });
      return ended.stdout;
    };
    const origin = join(scene.folder, "origin.git");
    const clone = join(scene.folder, "clone");
    await git("init", "--quiet", "--bare", "--initial-branch=main", origin);
    await git("clone", "--quiet", `web-01.rport:${origin}`, clone);
    await writeFile(join(clone, "file"), randomBytes(200_000));
    await git("-C", clone, "add", "file");
    await git("-C", clone, "commit", "--quiet", "-m", "One file");
    await git("-C", clone, "push", "--quiet", "origin", "HEAD:main");
    const pushed = await git("-C", origin, "rev-parse", "main");
    expect(await git("-C", clone, "rev-parse", "HEAD")).toBe(pushed);
    expect(await git("ls-remote", `ssh://db-01.rport${origin}`, "main")).toContain(pushed.trim());
  });

  test("ansible pings the hosts of its inventory", async () => {
    const inventory = join(scene.folder, "inventory");
    const settings = [
      "[all:vars]",
      `ansible_ssh_common_args=-F ${scene.config}`,
      "ansible_python_interpreter=/usr/bin/python3",
    ];
    await writeFile(inventory, ["web-01.rport", "db-01.rport", ...settings, ""].join("\n"));
    const ansible = await scene.execute("ansible", ["all", "-i", inventory, "-m", "ping", "-o"]);
    expect(ansible).toMatchObject({ code: 0 });
    for (const name of ["web-01.rport", "db-01.rport"]) {
      expect(ansible.stdout).toMatch(new RegExp(`^${name} \\| SUCCESS .*"pong"`, "m"));
    }
  });

  test("ssh gets to what is behind a host: by -J, and by rport in somebody's own configuration", async () => {
    const jump = await scene.ssh("-J", "web-01.rport", BEHIND, "echo $SSH_CONNECTION");
    expect(jump).toMatchObject({ code: 0, stderr: "" });
    expect(jump.stdout).toContain(` ${BEHIND} ${scene.sshd.port}`);
    const behind = await scene.ssh("behind", "echo $SSH_CONNECTION");
    expect(behind).toMatchObject({ code: 0, stderr: "" });
    expect(behind.stdout).toContain(` ${BEHIND} ${scene.sshd.port}`);
  });

  test("one connection is used for many", async () => {
    const path = join(scene.folder, "master");
    const shared = ["-o", `ControlPath=${path}`, "web-01.rport"];
    const first = spawn(
      "ssh",
      [
        "-F",
        scene.config,
        "-o",
        "ControlMaster=auto",
        "-o",
        "ControlPersist=60",
        ...shared,
        "true",
      ],
      { env: scene.env, stdio: "ignore" },
    );
    expect((await once(first, "exit"))[0]).toBe(0);
    try {
      expect((await scene.ssh("-O", "check", ...shared)).stderr).toContain("Master running");
      const answers = await Promise.all([1, 2, 3].map((n) => scene.ssh(...shared, `echo ${n}`)));
      expect(answers.map(({ stdout }) => stdout)).toEqual(["1\n", "2\n", "3\n"]);
    } finally {
      expect(await scene.ssh("-O", "exit", ...shared)).toMatchObject({ code: 0 });
    }
  });

  test("a port is forwarded as long as ssh runs", async () => {
    const port = await freePort();
    const forward = `127.0.0.1:${port}:${BEHIND}:${scene.sshd.port}`;
    const args = ["-F", scene.config, "-N", "-o", "ExitOnForwardFailure=yes", "-L", forward];
    const child = spawn("ssh", [...args, "web-01.rport"], { env: scene.env, stdio: "ignore" });
    try {
      await expect.poll(() => greeting(port), { timeout: SLOW_MS }).toMatch(/^SSH-2\.0-/);
    } finally {
      child.kill();
      await once(child, "exit");
    }
    expect(await greeting(port)).toBe("");
  });

  test(`${PARALLEL} at once each get their own answer`, async () => {
    const numbers = Array.from({ length: PARALLEL }, (_, n) => n);
    const answers = await Promise.all(numbers.map((n) => scene.ssh("web-01.rport", `echo ${n}`)));
    // on the standard error there is also what start files of the account say that is there so often at once
    const expected = numbers.map((n) => ({ code: 0, stdout: `${n}\n` }));
    expect(answers.map(({ code, stdout }) => ({ code, stdout }))).toEqual(expected);
  });

  test("names that no host has are refused at once, in words; a new host is there a moment later", async () => {
    const said = async (name: string) => {
      const { code, stderr } = await scene.ssh(name, "true");
      expect(code).toBe(SSH_FAILED);
      return stderr.split(/\r?\n/)[0];
    };
    expect(await said("nobody.rport")).toBe("rport: No host is called nobody.rport.");
    expect(await said("WEB-01.rport")).toBe(
      "rport: ssh takes small letters and capitals for different ones: type web-01.rport.",
    );
    expect(await said("later.rport")).toBe("rport: No host is called later.rport.");
    await scene.addHost("later");
    await scene.told("later.rport");
    expect(await scene.ssh("later.rport", "echo here")).toMatchObject({ stdout: "here\n" });
  });

  test("rport and ssh say that they were cut when the agent of their host is stopped in the middle", async () => {
    const agent = await scene.addHost("stopped");
    await scene.told("stopped.rport");
    const ends = [
      greeted(process.execPath, [BRIDGE, "connect", "stopped", String(scene.sshd.port)]),
      greeted("ssh", ["-F", scene.config, "stopped.rport", "echo SSH-; sleep 1000"]),
    ];
    for (const { isThere } of ends) await isThere;
    await agent[Symbol.asyncDispose]();
    const sentence = "rport: The connection was cut on its way to the host.\n";
    for (const { ended } of ends) expect((await ended).stderr).toContain(sentence);
    const codes = await Promise.all(ends.map(async ({ ended }) => (await ended).code));
    expect(codes).toEqual([10, SSH_FAILED]);
  });

  test("rport answers with a code of its own for each thing that goes wrong", async () => {
    await scene.addHost("strict", { tunnel_allowed: ["10.0.0.1:22"] });
    const away = await scene.addHost("away");
    await away[Symbol.asyncDispose]();
    const answers = async (code: number, client: string, place: string) => {
      const ended = async () => (await scene.rport("connect", client, place)).code;
      await expect.poll(ended, { timeout: SLOW_MS }).toBe(code);
      const { stdout, stderr } = await scene.rport("connect", client, place);
      expect(stdout).toBe("");
      expect(stderr).toMatch(/^rport: [A-Z][^\n]+[.?]\n$/);
    };
    const closed = String(await freePort());
    await answers(5, "nobody", "22");
    await answers(7, "away", "22");
    await answers(8, "web-01", closed);
    await answers(8, "web-01", `${BEHIND}:${closed}`);
    await answers(9, "strict", "22");
  });
});

/** What a port of this computer says first; nothing where nobody listens. */
function greeting(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("data", (data) => {
      socket.destroy();
      resolve(String(data));
    });
    socket.once("error", () => resolve(""));
    socket.once("close", () => resolve(""));
  });
}
