import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { linuxCommand, macosCommand } from "@rport/protocol/commands";
import { rportLinuxCommand } from "@rport/protocol/pairing/rportCommand";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const SHELLS = ["dash", "bash", "busybox ash", "mksh", "yash", "posh", "zsh"];
/** What bash counts files in is twice what others do. */
const OURS_MAX_BYTES = 131_072;
const RPORTS_MAX_BYTES = 2_097_152;

describe("what a pasted line fetches", () => {
  let bin: string;
  let script: string;

  const tool = (name: string, text: string) => {
    writeFileSync(join(bin, name), `#!/bin/dash\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  /** Leaves the file and the address; the help of a wget is no fetching. */
  const last = '[ "$*" != --help ] || exit 0; while [ $# -gt 2 ]; do shift; done;';
  const saveScript = (text: string) => {
    script = text;
    writeFileSync(join(bin, "script"), text);
  };
  /** Lines of every kind; they differ in what they fetch, and in how they tell whether it is that. */
  const lines = (url = "https://rport.example.com") => {
    const sha256 = createHash("sha256").update(script).digest("hex");
    const token = "0123456789ABCDEFGHJKMNPQRS";
    const parts = { url, id: "0123456789ABCDEF", sha256, token, sudo: true, flags: ["--yes"] };
    return {
      curl: linuxCommand({ ...parts, tool: "curl" }),
      wget: linuxCommand({ ...parts, tool: "wget" }),
      mac: macosCommand(parts),
      rport: rportLinuxCommand({ ...parts, tool: "curl" }),
    };
  };
  const environment = () => ({
    PATH: `${bin}:${process.env.PATH}`,
    // Where bash takes its input for a network's, it reads what is set up there.
    HOME: bin,
    OUT: join(bin, "out"),
    SIZE: join(bin, "size"),
    TMPDIR: bin,
  });
  const paste = (line: string, shell = "dash") => {
    const [name = "", ...options] = shell.split(" ");
    const env = environment();
    rmSync(env.OUT, { force: true });
    const ended = spawnSync(name, [...options, "-c", line], { env, encoding: "utf8" });
    const out = existsSync(env.OUT) ? readFileSync(env.OUT, "utf8") : "";
    return { status: ended.status, told: ended.stderr.trim(), out };
  };
  const whyNot = (shell: string) => {
    const [name = ""] = shell.split(" ");
    return spawnSync("sh", ["-c", `command -v ${name}`]).status === 0
      ? undefined
      : `${name} is not installed`;
  };
  const leftovers = () => readdirSync(bin).filter((name) => name.startsWith("tmp."));

  beforeEach(() => {
    bin = mkdtempSync(join(tmpdir(), "script-line-"));
    saveScript('#!/bin/sh\nprintf "%s|" genuine "$@" > "$OUT"\nexit 7\n');
    for (const name of ["curl", "wget"]) tool(name, `${last} cp "${bin}/script" "$1"`);
    tool("shasum", "exec sha256sum");
    tool("sudo", 'exec "$@"');
  });
  afterEach(() => rmSync(bin, { recursive: true }));

  it.for(SHELLS)("is run by %s as root's shell with its arguments and its status", (shell, ctx) => {
    const reason = whyNot(shell);
    ctx.skip(reason !== undefined, reason);
    tool("sh", `exec ${shell} "$@"`);
    for (const line of Object.values(lines())) {
      const ended = paste(line);
      expect([ended.status, ended.told]).toEqual([7, ""]);
      expect(ended.out).toMatch(/^genuine\|.*--yes\|$/);
    }
    expect(leftovers()).toEqual([]);
  });

  it.for(SHELLS)(
    "and another program exchanges while sudo asks for a password, %s does not run",
    (shell, ctx) => {
      const reason = whyNot(shell);
      ctx.skip(reason !== undefined, reason);
      tool("sh", `exec ${shell} "$@"`);
      const exchanged = 'echo exchanged > "$OUT"';
      tool("sudo", `for f in "${bin}"/tmp.*/i; do echo '${exchanged}' > "$f"; done; exec "$@"`);
      for (const line of Object.values(lines())) {
        const told = "This is not the installer of that server.";
        expect(paste(line)).toEqual({ status: 1, told, out: "" });
      }
      expect(leftovers()).toEqual([]);
    },
  );

  it("is checked to its last byte, line ends at its end too", () => {
    saveScript(`${script}\n\n\n`);
    const asked = lines();
    for (const line of Object.values(asked)) expect(paste(line).status).toBe(7);
    writeFileSync(join(bin, "script"), `${script}\n`);
    for (const line of Object.values(asked)) expect(paste(line).status).toBe(1);
  });

  it("may be as long as a script can be, and not a byte longer", () => {
    const padded = (bytes: number) => `${"#".repeat(bytes - script.length - 1)}\n${script}`;
    const short = script;
    for (const [bytes, status] of [
      [65_536, 7],
      [65_537, 1],
    ] as const) {
      saveScript(short);
      saveScript(padded(bytes));
      const { curl, mac } = lines();
      expect([paste(curl, "bash").status, paste(mac, "bash").status]).toEqual([status, status]);
    }
  });

  // posh knows no limits at all; who has it as their shell has only that of time.
  it.for(SHELLS.filter((shell) => shell !== "posh"))(
    "fills no disk from %s, however much comes",
    (shell, ctx) => {
      const reason = whyNot(shell);
      ctx.skip(reason !== undefined, reason);
      const flood = 'head -c 4000000 /dev/zero > "$1"; wc -c < "$1" > "$SIZE"; exit 23';
      for (const name of ["curl", "wget"]) tool(name, `${last} ${flood}`);
      for (const [name, line] of Object.entries(lines())) {
        expect(paste(line, shell)).toMatchObject({ status: 23, out: "" });
        const max = name === "rport" ? RPORTS_MAX_BYTES : OURS_MAX_BYTES;
        expect(Number(readFileSync(join(bin, "size"), "utf8"))).toBeLessThanOrEqual(max);
      }
      expect(leftovers()).toEqual([]);
    },
  );

  it.for(["dash", "zsh"])(
    "is fetched from %s by a wget without a limit of time",
    async (shell, ctx) => {
      const reason = whyNot("busybox") ?? whyNot(shell);
      ctx.skip(reason !== undefined, reason);
      tool("wget", 'exec busybox wget "$@"');
      await using server = createServer((_request, response) => response.end(script));
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      const { wget } = lines(`http://127.0.0.1:${port}`);
      const [status] = await once(execFile(shell, ["-c", wget], { env: environment() }), "exit");
      expect(status).toBe(7);
    },
  );

  it.for(["curl", "wget"] as const)(
    "is waited for by %s only so long, where nothing comes",
    async (name, ctx) => {
      const reason = whyNot(name);
      ctx.skip(reason !== undefined, reason);
      rmSync(join(bin, name));
      await using silent = createServer((_request, response) => response.write("#"));
      silent.listen(0, "127.0.0.1");
      await once(silent, "listening");
      const { port } = silent.address() as AddressInfo;
      const line = lines(`http://127.0.0.1:${port}`)[name];
      const impatient = line.replace(" -m 60 ", " -m 1 ").replace(" -T 20)", " -T 1)");
      const shell = name === "wget" && whyNot("zsh") === undefined ? "zsh" : "dash";
      const child = execFile(shell, ["-c", impatient], { env: environment() });
      const [status] = await once(child, "exit");
      silent.closeAllConnections();
      expect(status).toBe(name === "curl" ? 28 : 4);
      expect(leftovers()).toEqual([]);
    },
  );
});
