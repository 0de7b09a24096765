/**
 * What Bash reads in the place of its start files to mark its prompts and commands. It was started so
 * that it reads this alone (`--posix`, `ENV`), still as a shell of a login, takes back what that mode
 * has changed, and reads the files of a login as its manual says it does. The marks are in `PS1` and `PS0`,
 * whose expansion changes no status and fires no trap of the person; the hook in `PROMPT_COMMAND`
 * only puts them back, and is left out where a trap for `DEBUG` would see it. In another program that gets
 * these variables by the environment all of that is empty.
 */
export const bashMarks = (nonce: string): string => `builtin set +o posix
builtin shopt -u inherit_errexit
HISTFILE=~/.bash_history MAILCHECK=60
command rm -rf -- "\${ENV%/*}"
builtin unset -v ENV
declare -A __rport=([nonce]='${nonce}' [ran]= [number]=0 [added]=0 [status]=0)
__rport_a=$'\\001\\e]633;A\\a\\002'
__rport_b=$'\\001\\e]633;B\\a\\002'
__rport[before]='\${__rport_a+$({ __rport_prompted "$?"; } 3>&2 2>/dev/null)\${__rport_a:$((__rport[ran]=0,__rport[number]=HISTCMD)):0}$__rport_a}'
__rport[after]='\${__rport_b-}'
__rport[ps0]='\${__rport_a+\${__rport_a:$((__rport[ran]=1,__rport[added]=HISTCMD-__rport[number])):0}$({ __rport_executed; } 2>/dev/null)}'
__rport_escape() {
  local LC_ALL=C back='\\' text=$1 code at out=
  if [[ \${#text} -gt 8000 || $text == *$'\\xc2'[$'\\x80'-$'\\x9f']* ]]; then return 1; fi
  text=\${text//"$back"/"$back$back"}
  text=\${text//';'/"\${back}x3b"}
  if [[ $text == *[[:cntrl:]]* ]]; then
    for ((at = 0; at < \${#text}; at++)); do
      if [[ \${text:at:1} == [[:cntrl:]] ]]; then
        builtin printf -v code '\\\\x%02x' "'\${text:at:1}"
        out+=$code
      else
        out+=\${text:at:1}
      fi
    done
    text=$out
  fi
  __rport[text]=$text
}
__rport_prompted() {
  builtin set +efux
  case \${__rport[ran]} in
    1) builtin printf '\\e]633;D;%s\\a' "$1" ;;
    0) builtin printf '\\e]633;D\\a' ;;
    *) builtin printf '\\e]633;P;IsWindows=False\\a' ;;
  esac >&3
  if __rport_escape "$PWD"; then builtin printf '\\e]633;P;Cwd=%s\\a' "\${__rport[text]}" >&3; fi
  builtin return "$1"
}
__rport_executed() {
  builtin set +efux
  local line
  if [[ \${__rport[added]} -gt 0 || -o history && -z $HISTIGNORE && :$HISTCONTROL: == @(::|:ignoredups:) ]]; then
    line=$(HISTTIMEFORMAT= builtin history 1)
    if __rport_escape "\${line#*[0-9][* ] }"; then
      builtin printf '\\e]633;E;%s;%s\\a' "\${__rport[text]}" "\${__rport[nonce]}"
    fi
  fi
  builtin printf '\\e]633;C\\a'
}
__rport_wrap() {
  { local -; builtin set +aefux; } 2>/dev/null
  if [[ \${PS1@a}\${PS0@a} == *r* ]]; then builtin return 0; fi
  local before= after= ps0= ps1=\${PS1-} old=\${PS0-}
  if builtin shopt -q promptvars; then
    before=\${__rport[before]} after=\${__rport[after]} ps0=\${__rport[ps0]}
  fi
  ps1=\${ps1//"\${__rport[before]}"/}
  PS1=$before\${ps1//"\${__rport[after]}"/}$after
  PS0=\${old//"\${__rport[ps0]}"/}$ps0
}
__rport_begin() {
  { local -; builtin set +aefux; } 2>/dev/null
  __rport_wrap
  local hook='{ \${__rport_hook-}; } 2>/dev/null' places=(0 "\${!PROMPT_COMMAND[@]}")
  __rport_hook=__rport_wrap
  if [[ -n \${bash_preexec_imported-}\${__bp_imported-} ]]; then
    precmd_functions+=(__rport_wrap)
  elif [[ -z \${__rport[debug]} && \${PROMPT_COMMAND@a} != *r* ]]; then
    if [[ \${PROMPT_COMMAND@a} == *x* ]]; then
      PROMPT_COMMAND+=$'\\n'$hook
    else
      PROMPT_COMMAND[places[-1]+1]=$hook
    fi
  fi
}
if [[ -r /etc/profile ]]; then . /etc/profile || { __rport[status]=$?; } >/dev/null 2>&1; fi
for __rport_file in ~/.bash_profile ~/.bash_login ~/.profile; do
  if [[ -r $__rport_file ]]; then
    __rport[status]=0
    . "$__rport_file" || { __rport[status]=$?; } >/dev/null 2>&1
    { break; } >/dev/null 2>&1
  fi
done
{
  builtin unset -v __rport_file
  __rport[debug]=$(builtin trap -p DEBUG)
  builtin trap - DEBUG
  if [[ $- != *T* ]]; then __rport_begin; fi
  builtin unset -f __rport_begin
  builtin eval "\${__rport[debug]}"
  [[ $- == *e* ]] || (builtin exit "\${__rport[status]}")
} >/dev/null 2>&1
`;
