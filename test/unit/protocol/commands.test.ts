import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type LinuxCommandParts,
  linuxCommand,
  macosCommand,
  shellQuote,
} from "@rport/protocol/commands";
import { dockerCommand } from "@rport/protocol/pairing/dockerCommand";
import { rportLinuxCommand } from "@rport/protocol/pairing/rportCommand";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const CONTROL = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;
const hostile = fc
  .oneof(
    fc.string({ unit: "binary", maxLength: 30 }),
    fc.string({ unit: fc.constantFrom(..."'\"`$\\!&|;<>(){}[]*?~#= -"), maxLength: 30 }),
    fc.constantFrom("'; id; '", "$(id)", "`id`", "-rf", "", "=cmd", "~", "a'b''c"),
  )
  .filter((text) => !CONTROL.test(text));

describe("shellQuote", () => {
  it("brings any printable text through a real shell unchanged (S-08)", () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 40 }), (texts) => {
        const script = `printf '%s\\0' ${texts.map(shellQuote).join(" ")}`;
        const output = execFileSync("sh", ["-c", script], { encoding: "utf8" });
        expect(output).toBe(texts.map((text) => `${text}\0`).join(""));
      }),
      { numRuns: 40 },
    );
  });

  it.each(["a\nb", "a\rb", "\u001b[2J", "\u0000", "\u2028"])(
    "refuses control characters",
    (text) => {
      expect(() => shellQuote(text)).toThrow(/control characters/);
    },
  );
});

describe("the pasted line, run by a real shell", () => {
  const script = '#!/bin/sh\nprintf "%s|" "$@" > "$OUT"; cat >> "$OUT"; exit "$STATUS"\n';
  let bin: string;
  let parts: LinuxCommandParts;

  /** `curl`, `wget` and `sudo` of the test: they copy a file, and run what they are given. */
  const tool = (name: string, text: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  const run = (line: string, status = "0", more: Readonly<Record<string, string>> = {}) => {
    const env = {
      ...more,
      PATH: `${bin}:${process.env.PATH}`,
      OUT: join(bin, "out"),
      TMPDIR: bin,
      STATUS: status,
    };
    const result = spawnSync("sh", ["-c", `${line}; echo "alive $?"`], { env, encoding: "utf8" });
    const out = existsSync(env.OUT) ? readFileSync(env.OUT, "utf8") : "";
    return { shell: result.stdout.trim(), told: result.stderr.trim(), out };
  };

  beforeEach(() => {
    bin = mkdtempSync(join(tmpdir(), "commands-"));
    writeFileSync(join(bin, "script"), script);
    const copy = `echo "$2" > "${bin}/url" && cp "${bin}/script" "$1"`;
    tool("curl", `[ "$1 $2 $3 $4" = "-fsSL -m 60 -o" ] && shift 4 && ${copy}`);
    const limits = '[ "$*" = --help ] && echo "-T SEC" ||';
    tool("wget", `${limits} [ "$1 $2 $3 $4 $5 $6" = "-q -t 1 -T 20 -O" ] && shift 6 && ${copy}`);
    tool("sudo", `echo yes > "${bin}/sudo-was-used"; exec "$@"`);
    parts = {
      url: "https://rport.example.com:8080",
      id: "0123456789ABCDEF",
      sha256: createHash("sha256").update(script).digest("hex"),
      token: "0123456789ABCDEFGHJKMNPQRS",
      tool: "curl",
      sudo: true,
      flags: [],
    };
  });
  afterEach(() => rmSync(bin, { recursive: true }));

  it.each(["curl", "wget"] as const)(
    "with %s runs the script with the token on its input",
    (name) => {
      const result = run(linuxCommand({ ...parts, tool: name }));
      expect(result.out).toBe(`--server|${parts.url}|--token-stdin|--proxy-stdin|${parts.token}\n`);
      expect(readFileSync(join(bin, "url"), "utf8").trim()).toBe(`${parts.url}/p/${parts.id}`);
      expect(existsSync(join(bin, "sudo-was-used"))).toBe(true);
    },
  );

  it("passes hostile flags on as they are, and leaves sudo out on request", () => {
    const flags = ["--name", 'it\'s $(id) `id` "x"', "--tag", "", "--prefix", "/tmp/a b"];
    const result = run(linuxCommand({ ...parts, sudo: false, flags }));
    expect(result.out).toBe(
      `--server|${parts.url}|--token-stdin|${flags.join("|")}|${parts.token}\n`,
    );
    expect(existsSync(join(bin, "sudo-was-used"))).toBe(false);
  });

  it("puts the home of whoever pastes it in place of ~/, and of nothing else", () => {
    const flags = ["--prefix", "~/my dir/$x", "--name", "a ~/b"];
    const { out } = run(linuxCommand({ ...parts, sudo: false, flags }), "0", { HOME: "/home/a b" });
    expect(out).toContain("|--prefix|/home/a b/my dir/$x|--name|a ~/b|");
  });

  it("leads to the pairing service, where that is not the server", () => {
    const pairingUrl = "https://pair.example.com";
    const { out } = run(linuxCommand({ ...parts, pairingUrl }));
    expect(out).toContain(`--server|${parts.url}|--pairing|${pairingUrl}|--token-stdin|`);
    expect(readFileSync(join(bin, "url"), "utf8").trim()).toBe(`${pairingUrl}/p/${parts.id}`);
  });

  it("does on a Mac the same with the tools that are there", () => {
    tool("sha256sum", "exit 127");
    tool("shasum", `[ "$*" = "-a 256" ] && exec /usr/bin/sha256sum`);
    expect(run(macosCommand(parts)).out).toContain(`--token-stdin|--proxy-stdin|${parts.token}`);
    writeFileSync(join(bin, "script"), `${script}#`);
    expect(run(macosCommand(parts)).shell).toBe("alive 1");
  });

  it("S-07, S-10: runs nothing when one byte of the script differs", () => {
    writeFileSync(join(bin, "script"), `${script}#`);
    const result = run(linuxCommand(parts));
    expect(result.out).toBe("");
    expect(result.shell).toBe("alive 1");
    expect(result.told).toBe("This is not the installer of that server.");
  });

  it("leaves the shell open, with the installer's exit status and no file behind", () => {
    expect(run(linuxCommand(parts), "7").shell).toBe("alive 7");
    const left = execFileSync("find", [bin, "-mindepth", "1", "-type", "d"], { encoding: "utf8" });
    expect(left).toBe("");
  });

  it("fails when the script cannot be fetched", () => {
    tool("curl", "exit 22");
    expect(run(linuxCommand(parts)).shell).toBe("alive 22");
  });

  it("is one line of constants, with the token behind echo only", () => {
    const line = linuxCommand(parts);
    expect(line).not.toMatch(/[\r\n]/);
    expect(line.split(parts.token)).toHaveLength(2);
    expect(line).toContain(`&& (echo ${parts.token}; env | grep -i _proxy=) | sudo sh -c '`);
  });

  it("tells what becomes root which proxies there are, and nothing else of the environment", () => {
    const proxies = { https_proxy: "http://u:top-secret@p:1", NO_PROXY: "localhost" };
    const called = join(bin, "called");
    tool("sudo", `echo "$*" > "${called}"; exec env -u https_proxy -u NO_PROXY "$@"`);
    const { out } = run(linuxCommand(parts), "0", proxies);
    const [, input = ""] = out.split("--proxy-stdin|");
    const [token, ...lines] = input.trim().split("\n");
    expect(token).toBe(parts.token);
    expect(lines.sort()).toEqual(["NO_PROXY=localhost", "https_proxy=http://u:top-secret@p:1"]);
    expect(readFileSync(called, "utf8")).not.toContain("top-secret");
    const asMyself = run(linuxCommand({ ...parts, sudo: false }), "0", proxies);
    expect(asMyself.out).toBe(`--server|${parts.url}|--token-stdin|${parts.token}\n`);
  });

  it("starts a container with the token in a file of its own, which is gone afterwards", () => {
    const seen = join(bin, "seen");
    tool(
      "docker",
      `echo "$*" > "${seen}"
       while [ "$1" != --env-file ]; do shift; done
       { cat "$2"; stat -c %a "$2"; } >> "${seen}"; exit "$STATUS"`,
    );
    const { shell } = run(dockerCommand(parts), "7");
    const [called = "", token, mode] = readFileSync(seen, "utf8").trim().split("\n");
    expect([shell, token, mode]).toEqual(["alive 7", `RPORT_TOKEN=${parts.token}`, "600"]);
    expect(called).toMatch(/^run -d .* -v rport-agent:\/var\/lib\/rport .* rport-agent$/);
    expect(called).toContain(`-e RPORT_SERVER=${parts.url} `);
    expect(called).not.toContain(parts.token);
    expect(existsSync(called.split("--env-file ")[1]?.split(" ")[0] ?? "")).toBe(false);
  });

  it("has the container claim at the pairing service, where that is not the server", () => {
    const seen = join(bin, "seen");
    tool("docker", `echo "$*" > "${seen}"`);
    run(dockerCommand({ ...parts, pairingUrl: "https://pair.example.com/a b" }));
    const variables = `-e RPORT_SERVER=${parts.url} -e RPORT_PAIRING=https://pair.example.com/a b `;
    expect(readFileSync(seen, "utf8")).toContain(variables);
  });

  it.for(["sh", "bash", "dash", "busybox ash", "mksh", "yash", "posh", "zsh"])(
    "leaves in %s nothing behind when it is interrupted, whatever runs then",
    (shell, ctx) => {
      const [name = "", ...options] = shell.split(" ");
      const isMissing = spawnSync("sh", ["-c", `command -v ${name}`]).status !== 0;
      ctx.skip(isMissing, `${name} is not installed`);
      const sha256 = parts.sha256;
      const rport = { ...parts, url: "https://pair.example.com/abcdefg", sha256 };
      const lines = [linuxCommand(parts), dockerCommand(parts), rportLinuxCommand(rport)];
      const before = readdirSync(bin).length;
      // Ctrl-C reaches everything that runs at the terminal.
      for (const program of ["curl", "sudo", "docker"]) tool(program, "kill -INT 0; sleep 5");
      for (const line of lines) {
        const env = { PATH: `${bin}:${process.env.PATH}`, OUT: join(bin, "out"), TMPDIR: bin };
        const args = ["--wait", name, ...options, "-c", `trap : INT; ${line}; echo "alive $?"`];
        const { stdout } = spawnSync("setsid", args, { env, encoding: "utf8" });
        expect(stdout).toMatch(/^alive (130|258|1)$/m);
      }
      expect(readdirSync(bin).filter((entry) => entry !== "docker")).toHaveLength(before);
    },
  );

  it.each(["", "-n", "a b", "a\\n", "$(id)", "a\nb"])("refuses the token %j", (token) => {
    expect(() => linuxCommand({ ...parts, token })).toThrow("letters and digits");
    expect(() => dockerCommand({ ...parts, token })).toThrow("letters and digits");
  });

  it.for(["sh", "bash", "dash", "busybox ash", "mksh", "yash", "posh", "zsh"])(
    "S-23: %s hands the token to no program as an argument",
    (shell, ctx) => {
      const [name = "", ...options] = shell.split(" ");
      const isMissing = spawnSync("sh", ["-c", `command -v ${name}`]).status !== 0;
      ctx.skip(isMissing, `${name} is not installed`);
      const called = join(bin, "called");
      for (const program of ["echo", "printf"]) {
        tool(program, `echo "$0 $*" >> "${called}"; exec /usr/bin/${program} "$@"`);
      }
      const env = { PATH: `${bin}:${process.env.PATH}`, OUT: join(bin, "out"), TMPDIR: bin };
      const line = linuxCommand(parts);
      const { status } = spawnSync(name, [...options, "-c", line], {
        env: { ...env, STATUS: "0" },
      });
      expect(status).toBe(0);
      expect(readFileSync(env.OUT, "utf8")).toContain(parts.token);
      expect(existsSync(called) ? readFileSync(called, "utf8") : "").not.toContain(parts.token);
    },
  );
});
