/**
 * What Zsh reads as the first of its own start files to mark its prompts and commands: it hands on to the
 * file that stands in the home, and Zsh reads all further ones itself. The prompt has marks only
 * while it is shown.
 */
export const zshMarks = (nonce: string): string => `command rm -rf -- "$ZDOTDIR"
builtin unset ZDOTDIR
typeset -gA __rport=(nonce ${nonce} before $'%{\\e]633;A\\a%}' after $'%{\\e]633;B\\a%}')
__rport_escape() {
  local text=\${1//\\\\/\\\\\\\\} char
  text=\${text//;/\\\\x3b}
  if (( \${#text} > 8000 )); then return 1; fi
  __rport[text]=
  for char in "\${(@s::)text}"; do
    if [[ $char == [[:cntrl:]] ]]; then builtin printf -v char '\\\\x%02x' $(( #char )); fi
    __rport[text]+=$char
  done
}
__rport_precmd() {
  {
    builtin local __rport_status=$? __rport_percent=\${options[promptpercent]}
    builtin emulate -L zsh
    builtin setopt noerrexit noerrreturn noxtrace noallexport
    builtin trap - DEBUG ZERR
  } >/dev/null 2>&1
  case \${__rport[ran]-} in
    1) builtin print -rnu2 -- $'\\e]633;D;'$__rport_status$'\\a' ;;
    0) builtin print -nu2 -- $'\\e]633;D\\a' ;;
    *) builtin print -nu2 -- $'\\e]633;P;IsWindows=False\\a' ;;
  esac
  __rport[ran]=0
  if __rport_escape "$PWD"; then builtin print -rnu2 -- $'\\e]633;P;Cwd='$__rport[text]$'\\a'; fi
  if [[ $PS1 != "$__rport[ours]" || -z $__rport[ours] ]]; then __rport[theirs]=$PS1; fi
  if [[ $__rport_percent == on ]]; then
    PS1=$__rport[before]$__rport[theirs]$__rport[after]
    __rport[ours]=$PS1
  fi
  if [[ $precmd_functions[-1] != __rport_precmd ]]; then
    precmd_functions=(\${precmd_functions:#__rport_precmd} __rport_precmd)
  fi
}
__rport_preexec() {
  {
    builtin emulate -L zsh
    builtin setopt noerrexit noerrreturn noxtrace noallexport
    builtin trap - DEBUG ZERR
  } >/dev/null 2>&1
  if [[ $PS1 == "$__rport[ours]" ]]; then PS1=$__rport[theirs]; fi
  __rport[ran]=1
  if __rport_escape "\${1:-$3}"; then
    builtin print -rnu2 -- $'\\e]633;E;'$__rport[text]';'$__rport[nonce]$'\\a'
  fi
  builtin print -nu2 -- $'\\e]633;C\\a'
}
typeset -ga precmd_functions preexec_functions
precmd_functions+=(__rport_precmd)
preexec_functions+=(__rport_preexec)
if [[ -r ~/.zshenv ]]; then builtin source ~/.zshenv; fi
`;
