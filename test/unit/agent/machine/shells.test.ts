import { closeSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { linuxShells } from "../../../../agent/src/machine/linux/shells.ts";
import { parsedProcess } from "../../../../agent/src/machine/macos/processes.ts";
import { posixShells } from "../../../../agent/src/machine/posix/shells.ts";
import { LIBRARY } from "../../../support/agents/keptTerminals.ts";

const WISH = { shell: "", cwd: undefined, env: {}, nonce: undefined };
const SELF = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

describe("a shell of Linux", () => {
  it.each(["/usr/sbin/nologin", "/bin/false", "/sbin/halt", "/sbin/shutdown"])(
    "is not %s, which says that nobody logs in",
    (shell) => {
      const account = { name: "somebody", ids: SELF, home: "/", shell };
      expect(linuxShells().program(account, WISH).shell).toMatch(/^\/bin\/(ba)?sh$/);
    },
  );

  it("is of nobody whose number is asked for in the place of a name", async () => {
    const shells = linuxShells();
    expect(await shells.find(String(SELF.uid))).toBeUndefined();
    const own = await shells.find();
    expect(own?.ids).toMatchObject({ uid: SELF.uid });
    expect(await shells.find(own?.name)).toEqual(own);
  });

  it.each(["deploy", "deploy@example.org"])("is of whom a directory calls %s", async (written) => {
    const shells = posixShells({
      line: async () => `${written}:x:1000:1000::/home/deploy:/bin/sh`,
      fields: { home: 5, shell: 6 },
      switched: () => ["/bin/sh"],
      flags: undefined,
      processes: undefined,
    });
    expect(await shells.find("Deploy")).toMatchObject({ name: written, ids: { uid: 1000 } });
    expect(await shells.find("1000")).toBeUndefined();
  });

  it("has a terminal that belongs to its account", () => {
    const other = { name: "somebody", ids: { ...SELF, uid: SELF.uid + 1 }, home: "/", shell: "" };
    expect(linuxShells().program(other, WISH).uid).toBe(SELF.uid + 1);
    expect(linuxShells().program({ ...other, ids: SELF }, WISH).uid).toBeUndefined();
  });

  it.skipIf(LIBRARY === undefined)(
    "has the terminal that this process made, as told by it",
    async () => {
      if (LIBRARY === undefined) throw new Error("there is no library");
      const shells = linuxShells();
      const before = shells.terminals();
      const exited = Promise.withResolvers<number>();
      // Whatever the program opens in the place of its terminal is not asked for.
      const words = ["-c", "exec </dev/null; read -r line <&1"];
      const { fd, pty } = LIBRARY.fork(
        "/bin/sh",
        words,
        [],
        "/",
        80,
        24,
        -1,
        -1,
        false,
        "",
        exited.resolve,
      );
      expect([...shells.terminals()].filter((path) => !before.has(path))).toEqual([pty]);
      closeSync(fd);
      await exited.promise;
      expect(shells.terminals().has(pty)).toBe(false);
    },
  );
});

it.each([
  [
    "  701   702 ttys003  Tue Dec  1 10:19:53 2026    ",
    { group: 701, session: "ttys003", front: 702 },
  ],
  ["  701     0 ttys003  Tue Dec  1 10:19:53 2026", { group: 701, session: "ttys003" }],
])("a process of macOS is what ps says of it: %s", (line, facts) => {
  const startedAt = "Tue Dec  1 10:19:53 2026";
  expect(parsedProcess(line)).toEqual({ front: undefined, ...facts, startedAt });
});

it("a process of macOS without a terminal is of none", () => {
  expect(parsedProcess("  701    -1 ??       Tue Dec  1 10:19:53 2026")).toBeUndefined();
  expect(parsedProcess("")).toBeUndefined();
});
