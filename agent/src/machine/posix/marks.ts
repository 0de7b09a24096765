import { basename } from "node:path";
import { bashMarks } from "./bashMarks.ts";
import { fishMarks } from "./fishMarks.ts";
import { quoted } from "./quoted.ts";
import { zshMarks } from "./zshMarks.ts";

/** What the beginning shell is handed its file in; nothing that is started behind it has it. */
const VARIABLE = "RPORT_MARKS";

/** How one shell is made to mark its prompts and commands. */
interface MarkedShell {
  /** What this shell reads of a file, which holds the nonce. */
  readonly text: (nonce: string) => string;
  /** What the file is called in its folder. */
  readonly file: string;
  /** Whether this shell (`$1`) can do it, for `/bin/sh`. */
  readonly isAble: string;
  /** Starts it with the file, which is in `$folder`; `$shell` is it, and its words are left. */
  readonly start: string;
}

const MARKED_SHELLS: Readonly<Record<string, MarkedShell>> = {
  // Elements of PROMPT_COMMAND came with 5.1; the Bash of macOS is older, and reads no ENV.
  bash: {
    text: bashMarks,
    file: "marks",
    isAble: `[ "$("$1" --norc --noprofile -c 'echo $((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501))' 2>/dev/null)" = 1 ]`,
    start: `ENV=$folder/marks
    export ENV
    exec "$shell" --posix "$@"`,
  },
  // `printf -v` came with 5.3. A system that moves the start files may do so only where nobody else has.
  zsh: {
    text: zshMarks,
    file: ".zshenv",
    isAble: `case $("$1" --version 2>/dev/null) in
  "zsh 5."[3-9]* | "zsh 5."[12][0-9]* | "zsh "[6-9].*) ! grep -qs ZDOTDIR /etc/zshenv /etc/zsh/zshenv ;;
  *) false ;;
esac`,
    start: `ZDOTDIR=$folder
    export ZDOTDIR
    exec "$shell" "$@"`,
  },
  // Later ones have marks of their own (OSC 133), which the editor reads, too.
  fish: {
    text: (nonce) => nonce,
    file: "rport.nonce",
    isAble: `case $("$1" --version 2>/dev/null) in *" version 3."*) ;; *) false ;; esac`,
    start: `exec "$shell" -C "set -g __rport_file $folder/rport.nonce
"${quoted(fishMarks)} "$@"`,
  },
};

/** What is added to the start of a shell that marks its prompts and commands (OSC 633). */
export interface Marks {
  readonly env: Readonly<Record<string, string>>;
  /**
   * For `/bin/sh`, as the account: starts the shell (`$1`, with its words) with its file, or goes on
   * where that is not possible.
   */
  readonly begin: string;
}

/**
 * What makes a shell mark its prompts and commands, those that it ran with the nonce. The account itself writes the
 * file, where no other one can read or change it, and the shell takes it away as it begins. Until then
 * its folder stays for as long as the shell lives: once it is gone, any account could make one of
 * that name. Undefined: it is not known how.
 */
export function marksFor(shell: string, nonce: string): Marks | undefined {
  const marked = MARKED_SHELLS[basename(shell)];
  if (marked === undefined) return undefined;
  return { env: { [VARIABLE]: marked.text(nonce) }, begin: beginOf(marked) };
}

/**
 * What waits for the shell to take its file away has the folder itself, not its name, and is in it before
 * the shell begins. A text as an argument would be in the list of processes where `printf` is a program.
 */
function beginOf({ file, isAble, start }: MarkedShell): string {
  return `marks=$${VARIABLE} folder=
unset ${VARIABLE}
if ${isAble}; then
  folder=$(mktemp -d /tmp/rport.XXXXXXXX 2>/dev/null) || folder=
fi
if [ -n "$folder" ]; then
  if (umask 077 && cat >"$folder/${file}") 2>/dev/null <<END
$marks
END
  then
    (
      trap '' HUP
      cd "$folder" || exit
      {
        seconds=1
        while [ -e ./${file} ] && kill -0 $$; do
          sleep $seconds
          [ $seconds -ge 60 ] || seconds=$((seconds + 1))
        done
        rm -f ./${file}
        cd / && rmdir "$folder"
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
