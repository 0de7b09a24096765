/**
 * What fish runs behind its start files to mark its prompts and commands. The file that `__rport_file` names
 * holds the nonce alone: start files may take long, and whatever stands in its place by then is not run.
 */
export const fishMarks = `set -g __rport_nonce
test -f $__rport_file; and read -g __rport_nonce <$__rport_file
string match -qr '^[\\w-]+$' -- "$__rport_nonce"; or set -g __rport_nonce
command rm -f -- $__rport_file
command rmdir -- (string replace -r '/[^/]*$' '' -- $__rport_file) 2>/dev/null
set -e __rport_file
set -g __rport_ran
function __rport_escape
    set -l lines (string split -- \\n $argv[1] | string replace -a -- '\\\\' '\\\\\\\\' | string replace -a -- ';' '\\\\x3b')
    set -l text (string join -- '\\\\x0a' $lines)
    string match -qr '[\\x00-\\x1f\\x7f-\\x9f]' -- $text; and return 1
    test (string length -- $text) -le 8000; or return 1
    printf %s $text
end
function __rport_prompted --on-event fish_prompt
    if test "$__rport_ran" = ''
        printf '\\e]633;P;IsWindows=False\\a'
    else if test $__rport_ran = 0
        printf '\\e]633;D\\a'
    end
    set -g __rport_ran 0
    set -l cwd (__rport_escape $PWD); and printf '\\e]633;P;Cwd=%s\\a' $cwd
    printf '\\e]633;A\\a'
    if not functions fish_prompt | string match -q '*__rport_theirs*'
        functions -q __rport_theirs; and functions -e __rport_theirs
        functions -c fish_prompt __rport_theirs
        function fish_prompt
            set -l lines (__rport_theirs)
            printf '%s\\e]633;B\\a' (string join -- \\n $lines | string collect)
        end
    end
end
function __rport_executed --on-event fish_preexec
    set -g __rport_ran 1
    set -l line (__rport_escape $argv[1]); and printf '\\e]633;E;%s;%s\\a' $line $__rport_nonce
    printf '\\e]633;C\\a'
end
function __rport_finished --on-event fish_postexec
    set -l code $status
    printf '\\e]633;D;%s\\a' $code
    set -g __rport_ran 2
end
`;
