import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseCommand } from "../../../../../agent/src/cli/cli.ts";
import type { ProgramResult, Programs } from "../../../../../agent/src/machine/programs.ts";
import { Undo } from "../../../../../agent/src/machine/undo.ts";
import {
  systemProgram,
  windowsEnvironment,
} from "../../../../../agent/src/machine/windows/environment.ts";
import {
  knownFolders,
  prefixLayout,
  systemLayout,
} from "../../../../../agent/src/machine/windows/layouts.ts";
import { aclArguments, aclRights } from "../../../../../agent/src/machine/windows/rights.ts";
import {
  SERVICE_ACCOUNTS,
  serviceSid,
} from "../../../../../agent/src/machine/windows/serviceAccount.ts";
import {
  noteFailure,
  previousLog,
  putAside,
} from "../../../../../agent/src/machine/windows/serviceLog.ts";
import {
  imagePath,
  WindowsService,
} from "../../../../../agent/src/machine/windows/windowsService.ts";
import { NO_WRAPPER } from "../../../../../agent/src/machine/windows/wrapper.ts";
import { SYSTEM_CLOCK } from "../../../../../agent/src/platform/clock.ts";
import { tempDirectory } from "../../../../support/tempDirectory.ts";

const SID = "S-1-5-80-1";
const PLACE = ["C:\\Program Files\\rport-agent\\rport-agent.exe", "run", "-c", "C:\\a\\rport.conf"];
const IMAGE = `"${PLACE[0]}" run -c "C:\\a\\rport.conf" --service`;

/** Programs of Windows that answer as a test says, and note how they were called. */
function programs(answers: Readonly<Record<string, Partial<ProgramResult>>> = {}) {
  const calls: string[] = [];
  const fake: Programs = {
    run: async (program, args) => {
      const call = [program, ...args].join(" ");
      calls.push(call);
      const key = Object.keys(answers).find((begin) => call.startsWith(begin));
      const { code = 0, stdout = "", stderr = "" } = answers[key ?? ""] ?? {};
      return { code, stdout, stderr };
    },
  };
  return { fake, calls };
}

const serviceWith = (answers: Parameters<typeof programs>[0]) => {
  const { fake, calls } = programs(answers);
  const [program = "", ...args] = PLACE;
  const service = new WindowsService({
    programs: fake,
    clock: SYSTEM_CLOCK,
    self: { kind: "executable", file: "C:\\agent.exe" },
    command: [program, ...args],
    account: SERVICE_ACCOUNTS.defaultName,
    logFile: "C:\\a\\rport-agent.log",
  });
  return { service, calls };
};

const registry = (image: string) =>
  `\r\nHKLM\\x\r\n    ImagePath    REG_EXPAND_SZ    ${image}\r\n\r\n`;

describe("access on Windows", () => {
  test("is for the system, administrators and the service alone, also below a directory", () => {
    const grants = ["*S-1-5-18:(OI)(CI)F", "*S-1-5-32-544:(OI)(CI)F", `*${SID}:(OI)(CI)M`];
    expect(aclArguments("C:\\d", { mode: 0o700, owner: { sid: SID } }, true)).toEqual([
      "C:\\d",
      "/inheritance:r",
      "/grant:r",
      ...grants,
      "/q",
    ]);
    expect(aclArguments("C:\\f", { mode: 0o600 }, false)).toContain("*S-1-3-4:F");
  });

  test("to what everybody may read is left as the folder has it", async () => {
    const { fake, calls } = programs();
    await aclRights(fake).set("C:\\d", { mode: 0o755 });
    expect(calls).toEqual([]);
  });

  test("that cannot be set ends the installation", async () => {
    const { fake } = programs({ "icacls.exe": { code: 5, stderr: "Access is denied." } });
    const setting = aclRights(fake).set("C:\\d", { mode: 0o700, owner: { sid: SID } });
    await expect(setting).rejects.toThrow("Access is denied.");
  });

  test("of a folder that is kept loses the service", async () => {
    await using folder = await tempDirectory();
    const { fake, calls } = programs();
    await aclRights(fake).takeOver(folder.path);
    expect(calls[0]).toContain(`/inheritance:r /remove:g *${serviceSid("rport")} /grant:r`);
  });
});

describe("the account of the service", () => {
  test("has the SID that Windows makes of the service's name", () => {
    // TrustedInstaller's is the same on every Windows.
    const known = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464";
    expect(serviceSid("TrustedInstaller")).toBe(known);
  });

  test("is the only one", async () => {
    const { defaultName, whyNot, find } = SERVICE_ACCOUNTS;
    expect(defaultName).toBe("NT SERVICE\\rport");
    expect(whyNot(defaultName)).toBeUndefined();
    expect(whyNot("root")).toContain("--user cannot be used");
    expect(await find("root")).toBeUndefined();
  });
});

describe("the service", () => {
  test("has a command line whose paths are in quotes", () => {
    expect(imagePath([...PLACE, "--service"])).toBe(IMAGE);
  });

  test("is made with its own account, and started again after a crash", async () => {
    const { service, calls } = serviceWith({ "reg.exe": { code: 1 } });
    const undo = new Undo();
    await service.install({ undo, rights: aclRights(programs().fake) });
    expect(calls.filter((call) => call.startsWith("sc.exe"))).toEqual([
      `sc.exe create rport binPath= ${IMAGE} obj= NT SERVICE\\rport DisplayName= RPort agent type= own start= delayed-auto`,
      "sc.exe description rport Connects this host to its RPort server.",
      "sc.exe failure rport reset= 86400 actions= restart/5000/restart/30000/restart/60000",
    ]);
  });

  test("of RPort's own client is somebody else's", async () => {
    const { service, calls } = serviceWith({
      "reg.exe": { stdout: registry("C:\\rport\\rport.exe") },
    });
    expect([await service.isForeign(), await service.isInstalled()]).toEqual([true, false]);
    await service.remove();
    expect(calls.filter((call) => call.startsWith("sc.exe"))).toEqual([]);
  });

  test("is recognised by its command line, whatever language Windows has", async () => {
    const { service } = serviceWith({
      "reg.exe": { stdout: registry(IMAGE) },
      "sc.exe query": { stdout: "        STATUS             : 4  RUNNING\r\n" },
    });
    expect([await service.isForeign(), await service.isInstalled()]).toEqual([false, true]);
    expect(await service.isRunning()).toBe(true);
  });

  test("that does not stop is told", async () => {
    const { service } = serviceWith({
      "sc.exe query": { stdout: ": 2  START_PENDING" },
      "sc.exe stop": { code: 5, stdout: "FAILED 1053" },
    });
    await expect(service.stop()).rejects.toThrow("FAILED 1053");
  });

  test("has a log of its own, which does not grow for ever", async () => {
    await using folder = await tempDirectory();
    await mkdir(join(folder.path, "d"));
    const log = join(folder.path, "d", "log");
    await writeFile(log, "short");
    await putAside(log);
    await noteFailure(log, new Error("broken"));
    await writeFile(previousLog(log), "older");
    await writeFile(log, Buffer.alloc((8 << 20) + 1));
    await putAside(log);
    await noteFailure(log, new Error("why it does not start"));
    expect(await readFile(log, "utf8")).toContain('"message":"why it does not start"');
    expect((await stat(previousLog(log))).size).toBe((8 << 20) + 1);
  });
});

describe("the rest of Windows", () => {
  test("folders are the machine's own", () => {
    const folders = knownFolders({ ProgramFiles: "D:\\Programs", ProgramData: "" });
    expect(systemLayout(folders)).toMatchObject({
      program: "D:\\Programs\\rport-agent\\rport-agent.exe",
      config: "C:\\ProgramData\\rport\\rport.conf",
      dataDir: "C:\\ProgramData\\rport\\state",
    });
    expect(prefixLayout("E:\\me").program).toBe("E:\\me\\bin\\rport-agent.exe");
  });

  test("programs get nothing of the caller's session", () => {
    const environment = windowsEnvironment({ SystemRoot: "D:\\Windows", PATH: "C:\\evil", X: "y" });
    expect(environment).toMatchObject({ PATH: "D:\\Windows\\System32;D:\\Windows" });
    expect(Object.keys(environment)).not.toContain("X");
  });

  test("its programs are those that it comes with, not what lies where the caller is", () => {
    const environment = { SystemRoot: "D:\\Windows" };
    const icacls = "D:\\Windows\\System32\\icacls.exe";
    expect(systemProgram("icacls.exe", environment)).toBe(icacls);
    expect(systemProgram("E:\\bin\\rport-agent.exe", environment)).toBe("E:\\bin\\rport-agent.exe");
  });

  test("Node is no program to be installed there", () => {
    const render = () => NO_WRAPPER.render(prefixLayout("C:\\x"), "C:\\node.exe");
    expect(render).toThrow(/its executable/);
  });

  test("run --service is parsed", () => {
    const command = parseCommand(["run", "-c", "x", "--service"]);
    expect(command).toEqual({ kind: "run", config: "x", isService: true });
  });
});
