import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isOpen, renderUnit, UNIT_MARK } from "../../../../agent/src/machine/linux/unit.ts";
import { renderUserUnit } from "../../../../agent/src/machine/linux/userUnit.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const OPTIONS = {
  user: "rport",
  allowsTerminals: false,
  command: ["/usr/bin/true", "run", "-c", "/etc/rport/rport.conf"],
  writable: ["/etc/rport"],
  logsDirectories: [],
};

async function analyze(args: readonly string[], text = renderUnit(OPTIONS)) {
  await using directory = await tempDirectory();
  const file = join(directory.path, "rport.service");
  await writeFile(file, text);
  return spawnSync("systemd-analyze", [...args, file], { encoding: "utf8" });
}

describe("the unit", () => {
  test("exposes at most 2.0 of 10, and has no misspelt line", async (ctx) => {
    const isMissing = spawnSync("systemd-analyze", ["--version"]).status !== 0;
    ctx.skip(isMissing, "systemd-analyze is not installed");
    const security = await analyze(["security", "--offline=true", "--no-pager"]);
    const level = /Overall exposure level for rport.service: ([\d.]+)/.exec(security.stdout)?.[1];
    expect(Number(level)).toBeLessThanOrEqual(2);
    const verify = await analyze(["verify", "--man=no"]);
    expect(verify.stderr.split("\n").filter((line) => line.includes("rport.service"))).toEqual([]);
  });

  test("S-33: says exactly what it runs, as whom, in which bounds, and restarts it for ever", () => {
    const lines = renderUnit(OPTIONS).split("\n");
    for (const line of [
      "ExecStart=/usr/bin/true run -c /etc/rport/rport.conf",
      "User=rport",
      "Restart=always",
      "StartLimitIntervalSec=0",
      "Environment=DO_NOT_TRACK=1 BUN_ENABLE_CRASH_REPORTING=0",
      "ReadWritePaths=/etc/rport",
      "MemoryMax=512M",
      "MemorySwapMax=128M",
      "TasksMax=512",
      "OOMScoreAdjust=500",
      "LimitCORE=0",
    ]) {
      expect(lines).toContain(line);
    }
    expect(lines.join()).not.toContain("MemoryDenyWriteExecute");
  });

  test("for terminals takes nothing from a shell, and stays ours", async (ctx) => {
    const open = renderUnit({ ...OPTIONS, user: "anna", allowsTerminals: true });
    const lines = open.split("\n");
    const taken = ["KillMode=process", "OOMPolicy=continue", "KeyringMode=inherit"];
    for (const line of ["User=anna", "UMask=0022", ...taken]) expect(lines).toContain(line);
    expect(lines[0]).toBe(UNIT_MARK);
    expect([isOpen(open), isOpen(renderUnit(OPTIONS))]).toEqual([true, false]);
    const names = ["No", "Capab", "Ambient", "Protect", "Private", "Remove", "Restrict", "Lock"];
    const bounds = [...names, "System", "Memory", "OOMScore", "ReadWrite"];
    expect(lines.filter((line) => bounds.some((name) => line.startsWith(name)))).toEqual([]);
    const isMissing = spawnSync("systemd-analyze", ["--version"]).status !== 0;
    ctx.skip(isMissing, "systemd-analyze is not installed");
    const { stderr } = await analyze(["verify", "--man=no"], open);
    expect(stderr.split("\n").filter((line) => line.includes("rport.service"))).toEqual([]);
  });

  test("of a user's own systemd is as open, where terminals are allowed", () => {
    const command = ["/home/me/my agent/bin/rport-agent", "run"];
    const open = renderUserUnit(command, true);
    expect(open).toContain("UMask=0022\nKeyringMode=inherit\nKillMode=process\n");
    expect(open).not.toMatch(/NoNewPrivileges|Restrict|SystemCall|MemoryMax|TasksMax=\d/);
    expect(renderUserUnit(command)).toMatch(/UMask=0077\n(.*\n)+NoNewPrivileges=yes\n/);
    expect([isOpen(open), isOpen(renderUserUnit(command))]).toEqual([true, false]);
  });

  test("opens what the configuration needs, and nothing else", () => {
    const writable = ["/etc/rport", "/var/log/rport"];
    const text = renderUnit({ ...OPTIONS, writable, logsDirectories: ["site"] });
    expect(text).toContain("\nReadWritePaths=/etc/rport /var/log/rport\n");
    expect(text).toContain("\nLogsDirectory=site\nLogsDirectoryMode=0750\n");
    expect(renderUnit(OPTIONS)).not.toContain("LogsDirectory");
  });

  test.each(["", "Root", "a b", "a\nExecStart=/bin/sh", "a%h", "-x", "a".repeat(33)])(
    "refuses the user %j",
    (user) => expect(() => renderUnit({ ...OPTIONS, user })).toThrow("user's name"),
  );

  test.each(["", "/a b", "/a\nExecStartPre=/x", "/%h", "/$HOME", "/a;b", '/a"', "/ü"])(
    "refuses the path %j",
    (path) => {
      expect(() => renderUnit({ ...OPTIONS, command: [path] })).toThrow("A path");
      expect(() => renderUnit({ ...OPTIONS, writable: [path] })).toThrow("A path");
      expect(() => renderUnit({ ...OPTIONS, logsDirectories: [path] })).toThrow("A path");
    },
  );
});
