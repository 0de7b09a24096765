import { basename } from "node:path";
import { bashMarks } from "./bashMarks.ts";
import { fishMarks } from "./fishMarks.ts";
import { zshMarks } from "./zshMarks.ts";

/** What the beginning shell is handed its script in; nothing that is started behind it has it. */
const VARIABLE = "RPORT_MARKS";

/** How one shell is made to mark its prompts and commands. */
interface MarkedShell {
  readonly script: (nonce: string) => string;
  /** What the script is called in its folder. */
  readonly file: string;
  /** Whether this shell (`$1`) can do it, for `/bin/sh`. */
  readonly isAble: string;
  /** Starts it with the script, which is in `$folder`; `$shell` is it, and its words are left. */
  readonly start: string;
}

const MARKED_SHELLS: Readonly<Record<string, MarkedShell>> = {
  // Elements of PROMPT_COMMAND came with 5.1; the Bash of macOS is older, and reads no ENV.
  bash: {
    script: bashMarks,
    file: "marks",
    isAble: `[ "$("$1" --norc --noprofile -c 'echo $((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501))' 2>/dev/null)" = 1 ]`,
    start: `ENV=$folder/marks
    export ENV
    exec "$shell" --posix "$@"`,
  },
  // A system that moves the start files may do so only where nobody else has.
  zsh: {
    script: zshMarks,
    file: ".zshenv",
    isAble: "! grep -qs ZDOTDIR /etc/zshenv /etc/zsh/zshenv",
    start: `ZDOTDIR=$folder
    export ZDOTDIR
    exec "$shell" "$@"`,
  },
  // Later ones have marks of their own (OSC 133), which the editor reads, too.
  fish: {
    script: fishMarks,
    file: "marks.fish",
    isAble: `case $("$1" --version 2>/dev/null) in *" version 3."*) ;; *) false ;; esac`,
    start: `exec "$shell" -C "test -r $folder/marks.fish; and source $folder/marks.fish" "$@"`,
  },
};

/** What is added to the start of a shell that marks its prompts and commands (OSC 633). */
export interface Marks {
  readonly env: Readonly<Record<string, string>>;
  /**
   * For `/bin/sh`, as the account: starts the shell (`$1`, with its words) with its script, or goes on
   * where that is not possible.
   */
  readonly begin: string;
}

/**
 * What makes a shell mark its prompts and commands, those that it ran with the nonce. The account itself writes the
 * script, where no other one can read or change it, and the shell takes it away as it begins; who
 * reads something else in its place has it taken away a moment later. Undefined: it is not known how.
 */
export function marksFor(shell: string, nonce: string): Marks | undefined {
  const marked = MARKED_SHELLS[basename(shell)];
  if (marked === undefined) return undefined;
  return { env: { [VARIABLE]: marked.script(nonce) }, begin: beginOf(marked) };
}

function beginOf({ file, isAble, start }: MarkedShell): string {
  return `marks=$${VARIABLE} folder=
unset ${VARIABLE}
if ${isAble}; then
  folder=$(mktemp -d /tmp/rport.XXXXXXXX 2>/dev/null) || folder=
fi
if [ -n "$folder" ]; then
  if (umask 077 && printf '%s\\n' "$marks" >"$folder/${file}") 2>/dev/null; then
    (
      trap '' HUP
      {
        seconds=0
        while [ -d "$folder" ] && [ $seconds -lt 60 ]; do
          sleep 1
          seconds=$((seconds + 1))
        done
        rm -rf -- "$folder"
      } </dev/null >/dev/null 2>&1 &
    )
    shell=$1
    shift
    ${start}
  fi
  rm -rf -- "$folder"
fi
`;
}
