import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { renderUnit } from "../../../../agent/src/machine/linux/unit.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const OPTIONS = {
  user: "rport",
  command: ["/usr/bin/true", "run", "-c", "/etc/rport/rport.conf"],
  writable: ["/etc/rport"],
  logsDirectories: [],
};

async function analyze(args: readonly string[]) {
  await using directory = await tempDirectory();
  const file = join(directory.path, "rport.service");
  await writeFile(file, renderUnit(OPTIONS));
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
