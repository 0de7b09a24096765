import { readdirSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { BUILT_AGENTS, builtAgent } from "../../../support/agents/builtAgent.ts";
import { eventually } from "../../../support/eventually.ts";
import {
  pathOfShell,
  type ShellViewer,
  startShellHome,
} from "../../../support/terminals/markedShell.ts";

/** Programs are started, and wait for a busy machine. */
const PATIENT = { timeout: 120_000 };
const PROMPT = "ready> ";
/** A shell, what sets its prompt, and what ends a command with a code. */
const SHELLS = [
  {
    shell: "bash",
    files: { ".bash_profile": `PS1='${PROMPT}'\n` },
    fails: "(exit 3)",
    status: "echo code-$?-",
    leftovers: "history; env",
  },
  {
    shell: "zsh",
    files: { ".zshrc": `PS1='${PROMPT}'\nunsetopt promptsp\n` },
    fails: "(exit 3)",
    status: "echo code-$?-",
    leftovers: "fc -l; env",
  },
  {
    shell: "fish",
    files: {
      ".config/fish/config.fish": `set -g fish_greeting\nfunction fish_prompt\n  echo '${PROMPT}'\nend\n`,
    },
    fails: `sh -c "exit 3"`,
    status: "echo code-$status-",
    leftovers: "history; env",
  },
] as const;

beforeAll(async () => void (await builtAgent()), 600_000);

/** A start file that does what somebody else could do meanwhile: all of its folder is another one's. */
const TAKEN = `set folder (cat /proc/$fish_pid/cmdline | tr '\\0' ' ' | string match -r '/tmp/rport\\.\\w{8}')[1]
set names (command ls -A $folder)
command rm -r $folder
command mkdir $folder
for name in $names
  echo 'echo theirs-(math 40 + 2)-' >$folder/$name
end
`;

const isBash = pathOfShell("bash") !== undefined;
const isRoot = process.getuid?.() === 0;

/** Folders that a shell was given its script in. */
const folders = () => readdirSync("/tmp").filter((name) => name.startsWith("rport."));

/** How long a shell has for one command. */
const until = async (viewer: ShellViewer, mark: string, times = 1) =>
  await viewer.viewer.until(`${times} marks ${mark}`, () => {
    return viewer.marks.filter((each) => each === mark).length >= times;
  });

describe.each(BUILT_AGENTS)("marks of shells of an agent $name", ({ program }) => {
  describe.each(SHELLS)("of $shell", ({ shell, files, fails, status, leftovers }) => {
    const isThere = pathOfShell(shell) !== undefined;

    it.skipIf(!isThere)("tell prompts, commands, codes and the folder", PATIENT, async () => {
      await using host = await startShellHome(program, { shell, files });
      const viewer = await host.open(true);
      await until(viewer, "B");
      const before = viewer.marks;
      expect(before).toEqual(["P;IsWindows=False", `P;Cwd=${host.home}`, "A", "B"]);
      await viewer.viewer.type(`${fails}\r`);
      await until(viewer, "B", 2);
      const own = [`E;${fails};${viewer.nonce}`, "C", "D;3", `P;Cwd=${host.home}`, "A", "B"];
      expect(viewer.marks.slice(4)).toEqual(own);
      await viewer.viewer.type(`${status}\r`);
      await viewer.shows("code-3-");
      await until(viewer, "B", 3);
      await viewer.viewer.type(`cd /usr; echo 'a;b\\c'\r`);
      await until(viewer, "B", 4);
      const line = `E;cd /usr\\x3b echo 'a\\x3bb\\\\c';${viewer.nonce}`;
      expect(viewer.marks.slice(-6)).toEqual([line, "C", "D;0", "P;Cwd=/usr", "A", "B"]);
      await viewer.viewer.type("exit 4\r");
      expect(await viewer.viewer.untilEnded()).toEqual({ how: "exit", code: 4 });
    });

    it.skipIf(!isThere)("S-67 leave nothing behind", PATIENT, async () => {
      const there = folders();
      await using host = await startShellHome(program, { shell, files });
      const viewer = await host.open(true);
      await until(viewer, "B");
      await viewer.viewer.type(`${leftovers}; echo end-$((40 + 2))-; cd /proc/self/fd; ls\r`);
      await until(viewer, "B", 2);
      const names = [...viewer.plain.matchAll(/^([A-Z_]+)=/gm)].map(([, name = ""]) => name);
      for (const name of ["ENV", "ZDOTDIR", "RPORT_MARKS", "POSIXLY_CORRECT"]) {
        expect(names).not.toContain(name);
      }
      expect(viewer.plain).not.toMatch(/__rport|rport\.\w{8}/);
      await eventually(() => expect(folders()).toEqual(there), 10_000);
    });
  });

  it.skipIf(pathOfShell("fish") === undefined)(
    "S-67 come from nobody else, however long start files take",
    PATIENT,
    async () => {
      const files = {
        ".config/fish/config.fish": `${SHELLS[2].files[".config/fish/config.fish"]}${TAKEN}`,
      };
      await using host = await startShellHome(program, { shell: "fish", files });
      const viewer = await host.open(true);
      await until(viewer, "B");
      await viewer.viewer.type("echo own\r");
      await until(viewer, "B", 2);
      expect(viewer.marks).toContain("E;echo own;");
      expect(viewer.plain).not.toContain("theirs-42-");
    },
  );

  it.skipIf(!isBash)("are not there where the host or the editor wants none", PATIENT, async () => {
    const files = { ".profile": `PS1='${PROMPT}'\n` };
    const terminal = { shell_integration: false };
    await using without = await startShellHome(program, { shell: "bash", files, terminal });
    await using host = await startShellHome(program, { shell: "bash", files });
    for (const viewer of [await without.open(true), await host.open(false)]) {
      await viewer.run(["shopt -o posix", "echo done-$((40 + 2))"], PROMPT);
      expect(viewer.marks).toEqual([]);
      expect(viewer.plain).toMatch(/posix\s+off/);
    }
  });

  it.skipIf(!isBash || !isRoot)(
    "are of another account, too, where nobody else can read",
    PATIENT,
    async () => {
      const terminal = { shell: "/bin/bash", accounts: ["games"] };
      await using host = await startShellHome(program, { shell: "bash", files: {}, terminal });
      const viewer = await host.open(true);
      await until(viewer, "B");
      await viewer.viewer.type("id -un; exit 5\r");
      await viewer.shows("games");
      expect(await viewer.viewer.untilEnded()).toEqual({ how: "exit", code: 5 });
      await eventually(() => expect(folders()).toEqual([]), 10_000);
    },
  );
});
