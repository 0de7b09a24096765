import { beforeAll, describe, expect, it } from "vitest";
import { BUILT_AGENTS, builtAgent } from "../../../support/agents/builtAgent.ts";
import { pathOfShell, startShellHome } from "../../../support/terminals/markedShell.ts";

/** Programs are started, and wait for a busy machine. */
const PATIENT = { timeout: 120_000 };
const PROMPT = "ready> ";
const PS1 = `PS1='${PROMPT}'`;

/** What people have in their start files, and what they type. */
const HABITS = [
  {
    what: "a hook before the prompt that reads the code and makes the prompt",
    shell: "bash",
    files: {
      ".bash_profile": ". ~/.bashrc\nfalse\n",
      ".bashrc": `PROMPT_COMMAND='echo "[$? \${PIPESTATUS[@]}]"; PS1="$? ${PROMPT}"'\n`,
    },
    lines: ["echo $?", "false | (exit 4)", "echo $?", 'echo "$PROMPT_COMMAND" | cut -d";" -f1'],
  },
  {
    what: "a hook and a prompt that are in the environment",
    shell: "bash",
    files: {
      ".profile": `export PROMPT_COMMAND='echo "[$?]"'\nexport PS1='[$?] ${PROMPT}'\n`,
    },
    lines: ["false", "bash --norc", "false", "echo $?", "exit", "sh", "echo $((1 + 1))", "exit"],
  },
  {
    what: "traps of their own",
    shell: "bash",
    files: {
      ".bash_profile": `${PS1}\ntrap 'echo "[at $BASH_COMMAND]"' DEBUG\ntrap 'echo err' ERR\ntrap 'echo bye' EXIT\n`,
      ".bash_logout": "echo out\n",
    },
    lines: ["(exit 3)", "echo $?", "trap", "shopt login_shell"],
  },
  {
    what: "unset variables that are errors, and all that is set exported",
    shell: "bash",
    files: { ".bash_profile": `${PS1}\nset -u\nset -a\nHISTCONTROL=ignoreboth\n` },
    lines: [
      "(exit 3)",
      " echo two",
      "env | sort | grep -v -e ^_= -e ^PS1=",
      "set -e",
      "set -x",
      "true",
      "history",
    ],
  },
  {
    what: "another shell that goes on",
    shell: "bash",
    files: { ".bash_profile": `export ${PS1}\nexec bash --norc\n` },
    lines: ["env | sort | grep -v -e ^_= -e ^PS1=", "ls /proc/self/fd | wc -l", "echo $-"],
  },
  {
    what: "all four files and hooks of their own",
    shell: "zsh",
    files: {
      ".zshenv": "echo env; export A=1; unsetopt zle promptsp",
      ".zprofile": "echo profile",
      ".zshrc": `echo rc $A \${ZDOTDIR-none}; precmd() { echo "[$? $pipestatus]"; PS1="$? ${PROMPT}" }; preexec() { echo "[at $1]" }; trap "echo bye" EXIT`,
      ".zlogin": "echo login; false",
      ".zlogout": "echo out",
    },
    lines: [
      "echo $?",
      "false | (exit 3)",
      " false",
      "echo $#PS1; [[ -o login ]] && echo yes",
      "env | sort",
    ],
  },
  {
    what: "strict options",
    shell: "zsh",
    files: {
      ".zshrc": `unsetopt zle promptsp; ${PS1}; setopt nounset warncreateglobal ksharrays histignorespace`,
    },
    lines: [
      "(exit 3)",
      " echo two",
      "setopt allexport",
      "env | sort",
      "setopt errexit",
      "set -x",
      "true",
    ],
  },
  {
    what: "another shell that goes on",
    shell: "zsh",
    files: { ".zshrc": `export ${PS1}; exec bash --norc` },
    lines: ["env | sort | grep -v -e ^_= -e ^PS1=", "ls /proc/self/fd | wc -l"],
  },
] as const;

beforeAll(async () => void (await builtAgent()), 600_000);

describe.each(BUILT_AGENTS)("shells of an agent $name with marks", ({ program }) => {
  it.each(HABITS)(
    "S-67 show of $shell and $what what they show without",
    PATIENT,
    async (habit) => {
      const { shell, files, lines } = habit;
      if (pathOfShell(shell) === undefined) return;
      await using host = await startShellHome(program, { shell, files });
      const [marked, plain] = [await host.open(true), await host.open(false)];
      for (const viewer of [marked, plain]) {
        await viewer.run(lines, PROMPT);
        await viewer.viewer.type("exit 6\r");
        expect(await viewer.viewer.untilEnded()).toEqual({ how: "exit", code: 6 });
      }
      expect(marked.plain).toBe(plain.plain);
    },
  );
});
