#!/bin/sh
# Installs the RPort agent on this host and enrols it at a server. The same for everybody, and nothing
# secret is in it. Try: sh rport-installer.sh --help
newline='
' #
case $newline in ?) ;; *) echo 'This script is damaged: it has the line ends of Windows.' >&2; exit 1 ;; esac #
{ # To the last line: a shell runs nothing of a script that was cut off.
set -eu
umask 077

# BEGIN MANIFEST
VERSION=''
MANIFEST=''
# END MANIFEST

# Exit status, here and in the agent. 4, 8 and 9 only come from the agent.
EXIT_FAILED=1 EXIT_USAGE=2 EXIT_UNSUPPORTED=3 EXIT_NETWORK=5 EXIT_CHECKSUM=6 EXIT_ROOT=7

# Tries of a download, and how long each may stall, in seconds.
TRIES=3 CONNECT_S=10 STALL_S=30
# As many, when each gets some of it.
MOST_TRIES=30
# A server that serves many others first (status 503) is asked again so often, after so long.
BUSY_TRIES=60 BUSY_S=5

# The oldest that the executable and the bundle run on.
MIN_GLIBC_MINOR=17 MIN_NODE=20

action=install server='' prefix='' runtime=auto token_from='' token_file='' has_proxies='' proxy=''
older='' tls_pin='' package='' package_hash='' is_silent='' is_verbose='' is_dry='' is_forced='' is_shown=''
uid='' found='' work='' node='' target='' file='' size='' sha256='' name='' packed='' suffix='' bytes='' line=''

usage() {
  cat <<TEXT
Installs the RPort agent${VERSION:+ $VERSION} on this host and enrols it at a server.

  sh rport-installer.sh --server URL [options]
  sh rport-installer.sh --uninstall|-u [--keep-config] [--prefix DIR]
  sh rport-installer.sh --status [--prefix DIR]

The pairing token, not as an option, which all users see:
  --token-stdin        read it from standard input
  --token-file FILE    read it from a file
  neither              it is asked for at the terminal

Options:
  --proxy-stdin        after the token, read lines such as https_proxy=URL, which sudo drops
  --proxy URL          a proxy, without a password
  --server URL         where the agent is fetched and enrolled, http(s)://host[:port][/path]
  --pairing URL        where the token is claimed, when that is not the server
  --tls-pin PIN        the server's TLS key, sha256//..., instead of a certificate
  --name NAME          name of this host; its host name unless given
  --tag, -g TAG        a tag; may be given again
  --new-id, -d         be a new host: for copies of a disk image
  --force, -f          enrol anew, also from another server
  --user, -a USER      the agent's account; rport unless given
  --prefix DIR         keep everything below DIR; needs no root
  --terminals ACCOUNT  allow terminals, as this account; with --prefix as you
  --no-terminals       forbid them again
  --no-service         start the agent without a service
  --no-start           install, and start nothing now
  --package, -z FILE   install from this file, fetch none
  --sha256 HASH        its SHA-256, unless of this release
  --allow-downgrade    also an older release
  --runtime RUNTIME    auto, bun (an executable), node (Node.js $MIN_NODE or newer)
  --yes                ask nothing
  --dry-run            say what would be done
  --verbose            say more
  --keep-config        with --uninstall: keep rport.conf: id and secret
  --help, --version

Exit status: 0 done, 1 failed, 2 usage, 3 not possible here, 4 the token is unknown, expired
or used, 5 no server reached, 6 a download is wrong, 7 needs root, 8 not connected, 9 the
server refused.
TEXT
}

say() { printf '%s\n' "$*" >&2; }
detail() { [ -z "$is_verbose" ] || say "$@"; }
fail() {
  status=$1
  shift
  say "rport-installer: $*"
  exit "$status"
}
misuse() { fail "$EXIT_USAGE" "$* Try --help."; }
unsupported() { fail "$EXIT_UNSUPPORTED" "$@"; }
has() { command -v "$1" >/dev/null 2>&1; }

# Prints the arguments so that a shell reads them again as they are.
quoted() {
  for word; do
    case $word in
      '' | *[!A-Za-z0-9_./:@%+,=-]*)
        printf "'%s' " "$(printf '%s\n' "$word" | sed "s/'/'\\\\''/g")" ;;
      *) printf '%s ' "$word" ;;
    esac
  done
}

# What cannot be removed changes nothing about whether the host is connected. Who presses Ctrl-C a
# second time waits for it.
# shellcheck disable=SC2317 # the trap calls it
clean_up() {
  trap '' INT TERM HUP
  [ -z "$work" ] || rm -rf "$work" || say "Could not remove $work"
}

# A private directory from which programs can be started; some machines forbid that in /tmp. By the mark in it
# the agent knows what a run left that was killed. Root works in none that others could put aside.
make_work() {
  for parent in "${TMPDIR:-/tmp}" /tmp "${prefix:-/usr/local}" "${HOME:-/}"; do
    [ -d "$parent" ] || continue
    [ "$uid" != 0 ] || (found=yes && check_way "$parent") 2>/dev/null || continue
    work=$(mktemp -d "$parent/rport-XXXXXX" 2>/dev/null) || { work=''; continue; }
    printf '#!/bin/sh\n# rport-installer.sh works here\n' >"$work/probe"
    chmod 700 "$work/probe"
    if "$work/probe" 2>/dev/null; then
      # The agent's own temporary files are removed together with it.
      export TMPDIR="$work"
      return
    fi
    rm -rf "$work"
    work=''
  done
  fail "$EXIT_FAILED" 'There is no temporary directory in which programs may run. Set TMPDIR.'
}

# Finds the file for a target in the manifest; sets name, size, sha256, and what it is packed as.
find_file() {
  while read -r each size sha256 name packed; do
    [ "$each" != "$1" ] || return 0
  done <<LINES
$MANIFEST
LINES
  return 1
}

# Prints what executable fits this machine. Not by files of a C library: machines may have several.
fitting_target() {
  case $(uname -m) in x86_64 | amd64) cpu=x64 ;; aarch64 | arm64) cpu=arm64 ;; *) return 1 ;; esac
  if [ "$(uname -s)" = Darwin ]; then
    # A shell for Intel may run on Apple's own processor.
    [ "$(sysctl -n sysctl.proc_translated 2>/dev/null)" != 1 ] || cpu=arm64
    printf %s "darwin-$cpu"
    return
  fi
  # The fifth byte of a program says 2 for 64 bits; the kernel's name says nothing of that.
  [ "$(head -c 5 /proc/self/exe 2>/dev/null | tail -c 1)" = "$(printf '\002')" ] || return 1
  if [ "$cpu" = x64 ] && [ -r /proc/cpuinfo ]; then grep -qw sse4_2 /proc/cpuinfo || return 1; fi
  libc=$(getconf GNU_LIBC_VERSION 2>/dev/null || ldd --version 2>&1 | head -n 1) || libc=''
  case $libc in
    *musl*) cpu=$cpu-musl ;;
    *2.[0-9]) return 1 ;;
    *2.[0-9][0-9]) [ "${libc##*2.}" -ge "$MIN_GLIBC_MINOR" ] || return 1 ;;
    # The shell names the loader that it was started by.
    *) ! grep -q /ld-musl- /bin/sh 2>/dev/null || cpu=$cpu-musl ;;
  esac
  printf %s "linux-$cpu"
}

# Finds a Node that is new enough; sets node to its own path.
find_node() {
  for candidate in node nodejs; do
    node=$("$candidate" -p 'process.execPath' 2>/dev/null) || continue
    "$node" -e "process.exit(parseInt(process.versions.node) >= $MIN_NODE ? 0 : 1)" && return 0
  done
  node=''
  return 1
}

# Decides what to run here; sets target.
choose_target() {
  case $(uname -s) in
    Linux | Darwin) ;;
    *) unsupported "This is for Linux and macOS, not for $(uname -s)." ;;
  esac
  fitting=$(fitting_target) || fitting=''
  if [ "$runtime" != node ] && [ -n "$fitting" ] && find_file "$fitting"; then
    target=$fitting
  elif [ "$runtime" != bun ] && find_file node && find_node; then
    target=node
  elif [ "$runtime" = node ]; then
    unsupported "There is no Node.js $MIN_NODE or newer in PATH."
  elif [ -n "$fitting" ]; then
    unsupported "The server has no agent for $fitting. Who runs it can add it:" \
      "npm run package -- --target $fitting, or npm install rport-agent-$fitting." \
      "With Node.js $MIN_NODE or newer here it works without."
  else
    unsupported "There is no executable for this machine ($(uname -m)): it needs" \
      "64 bits, SSE4.2 on x86, and musl or glibc 2.$MIN_GLIBC_MINOR." \
      "With Node.js $MIN_NODE or newer it works anywhere."
  fi
  find_file "$target"
}

# The environment may name somebody else's home. What root's tools read there could make them write anywhere.
leave_home() { [ "$uid" != 0 ] || export HOME="${work:-/}" CURL_HOME='' XDG_CONFIG_HOME='' WGETRC=''; }

# Whether this program is there, and can recognise the server if it has to.
can_fetch() (
  leave_home
  has "$1" && { [ -z "$tls_pin" ] || "$1" --pinnedpubkey "$tls_pin" --version >/dev/null 2>&1; }
)

# Checks early that what is needed later is there; sets hasher and fetcher.
choose_tools() {
  if has sha256sum; then hasher='sha256sum'
  elif has shasum; then hasher='shasum -a 256'
  elif has openssl; then hasher='openssl dgst -sha256 -r'
  else unsupported 'There is none of sha256sum, shasum and openssl.'
  fi
  [ -z "$package" ] || return 0
  if can_fetch curl; then fetcher=curl
  elif can_fetch wget; then fetcher=wget
  else unsupported "There is neither curl${tls_pin:+ 7.44} nor ${tls_pin:+GNU }wget${tls_pin:+ 1.18, or newer}."
  fi
}

# Whether file $1 has the SHA-256 that the manifest says.
is_right() {
  # shellcheck disable=SC2086 # a program and its options
  found=$($hasher <"$1") && [ "${found%% *}" = "$sha256" ]
}

size_of() { if [ -f "$1" ]; then counted=$(wc -c <"$1") && echo $((counted)); else echo 0; fi; }

# Runs a program that shows how far it is, or keeps to itself what it says.
told() { if [ -n "$is_shown" ]; then "$@"; else "$@" 2>"$work/said"; fi; }

# Fetches $1 into $2 once, from where it was. Standard input may hold the token and is not for these
# tools, and no server fills the disk.
fetch_once() (
  ulimit -f $((bytes / 512 + 2048)) 2>/dev/null || :
  leave_home
  if [ "$fetcher" = curl ]; then
    shown=-sS
    [ -z "$is_shown" ] || shown=-#
    told curl ${tls_pin:+-k} ${tls_pin:+--pinnedpubkey} ${tls_pin:+"$tls_pin"} -fL "$shown" -C "$before" \
      --connect-timeout "$CONNECT_S" --speed-limit 1 --speed-time "$STALL_S" -o "$2" -w '%{http_code}' "$1" </dev/null >"$work/code"
  else
    # BusyBox names the status also when it is quiet, has no -nv, and in Debian crashes with -T.
    case $(wget --version 2>&1) in
      # It would try twenty times by itself, and wait longer each time.
      GNU*) how="-nv -T$STALL_S -t1" ;;
      *) how=-q ;;
    esac
    # shellcheck disable=SC2086 # several words
    LC_ALL=C wget ${tls_pin:+--no-check-certificate} ${tls_pin:+"--pinnedpubkey=$tls_pin"} \
      $how -c -O "$2" "$1" </dev/null 2>"$work/said"
  fi
)

# Whether the server said 503: many others fetch at the moment.
is_busy() { cat "$work/code" "$work/said" 2>/dev/null | grep -qE '^503|(ERROR|HTTP/1..) 503'; }

fetch() {
  try=1 busy=0 most=$TRIES
  while before=$(size_of "$2") && ! fetch_once "$1" "$2"; do
    if is_busy && [ "$busy" -lt "$BUSY_TRIES" ]; then
      [ "$busy" -gt 0 ] || say 'The server is busy; waiting for a turn.'
      busy=$((busy + 1))
      sleep "$BUSY_S"
      continue
    fi
    [ ! -f "$work/said" ] || cat "$work/said" >&2
    now=$(size_of "$2")
    [ "$now" -lt "$bytes" ] || break
    if [ "$now" -gt "$before" ]; then most=$((most < MOST_TRIES ? most + 1 : most)); else rm -f "$2"; fi
    [ "$try" -lt "$most" ] || fail "$EXIT_NETWORK" "Could not fetch $1"
    detail "Trying again: $1"
    sleep $((try < 5 ? try : 5))
    try=$((try + 1))
  done
}

# Chooses how the file travels; sets suffix and bytes.
choose_packing() {
  suffix='' bytes=$size
  for each in $packed; do
    case $each in xz:*) tool=xz ;; zst:*) tool=zstd ;; gz:*) tool=gzip ;; *) continue ;; esac
    has "$tool" || continue
    suffix=.${each%%:*} bytes=${each#*:}
    return
  done
}

# The tool that could not write has said why.
no_room() { fail "$EXIT_FAILED" "Cannot write to $work."; }

# Unpacks standard input, packed as the name $1 says, into the file, at the most one byte more than it should be.
unpack() {
  case $1 in
    *.xz) xz -dc ;;
    *.zst) zstd -dcq ;;
    *.gz) gzip -dc ;;
    *) cat ;;
  esac 2>"$work/said" | head -c $((size + 1)) >"$file" || no_room
}

# Nothing of a download is run before its size and its hash are right.
check_size() {
  bulk=$(size_of "$1")
  [ "$bulk" = "$2" ] ||
    fail "$EXIT_CHECKSUM" "$name has $bulk bytes and should have $2."
}
check_download() {
  check_size "$1" "$size"
  is_right "$1" || fail "$EXIT_CHECKSUM" "$name is not the file it should be."
}

# It hears Ctrl-C as well, and takes everything back unless it has connected meanwhile. Every shell on
# the way to it waits, and leaves it to the agent how this ends.
run_agent() {
  trap : INT TERM HUP
  if [ "$target" = node ]; then "$node" "$file" "$@"; else "$file" "$@"; fi
}

# Where the file of a target is kept once it is installed.
installed_file() {
  case $target,$prefix in
    node,) printf %s /usr/local/lib/rport/agent.cjs ;;
    node,*) printf %s "$prefix/lib/agent.cjs" ;;
    *,) printf %s /usr/local/bin/rport-agent ;;
    *) printf %s "$prefix/bin/rport-agent" ;;
  esac
}

# Gets the agent for the chosen target, unless it is installed already; sets file.
get_agent() {
  file=$(installed_file)
  if find_agent && [ -f "$file" ] && is_right "$file"; then
    return
  fi
  file=$work/$name
  choose_packing
  say "Fetching the agent ${VERSION} for ${target} ($(((bytes + 999999) / 1000000)) MB)."
  fetch "${server%/}/agent/$VERSION/$name$suffix" "$file$suffix"
  check_size "$file$suffix" "$bytes"
  if [ -n "$suffix" ]; then
    unpack "$suffix" <"$file$suffix"
    rm -f "$file$suffix"
  fi
  check_download "$file"
  ask_installed
  chmod 700 "$file"
}

distrust() { fail "$EXIT_USAGE" "$1. Root runs no program there. Use another --prefix, or: $2"; }

# Fails when others than root could change what is at $1, or what is at a folder on the way to it, links
# followed. In /tmp and its like they cannot change what is root's. By ls, which says the same everywhere. With
# found set it has to be there; else what is missing is left out.
check_way() {
  case $1 in /*) way=$1 ;; *) way=$PWD/$1 ;; esac
  while at=${way:-/}; do
    if [ -n "$found" ] || [ -e "$at" ]; then
      # shellcheck disable=SC2012,SC2046 # mode, links and owner stand before the name
      set -- $(ls -ldn "$at")
      case $3,$1 in
        0,l*)
          link=$(readlink "$at") || exit
          case $link in /*) ;; *) link=${way%/*}/$link ;; esac
          (check_way "$link") || exit ;;
        0,?????-??-* | 0,d????????[tT]*) ;;
        0,*) distrust "Others can write to $at" "chmod go-w $(quoted "$at")" ;;
        *)
          # shellcheck disable=SC2012,SC2046 # the same with names
          set -- $(ls -ld "$at")
          distrust "$at belongs to $3" "sudo -u $3 sh $command_line" ;;
      esac
    fi
    [ -n "$way" ] || return 0
    way=${way%/*}
  done
}

# Whether an agent is installed; sets program. Root runs none that others could put into a prefix, and puts none
# where they could.
find_agent() {
  program=${prefix:-/usr/local}/bin/rport-agent found=''
  case $uid,$prefix in 0,?*) check=check_way ;; *) check=: ;; esac
  $check "${program%bin/*}lib/agent.cjs"
  [ ! -x "$program" ] || found=yes
  $check "$program"
  [ -n "$found" ] || return 1
  # And the Node that a small script in the place of the program names.
  $check "/$(head -c 9999 "$program" | LC_ALL=C sed -n "s/^exec '\([^']*\)' '.*/\1/p")"
}

# The agent that is installed knows its server's key, and looks whether the server has signed this, and whether it
# is older than itself.
ask_installed() {
  { [ -z "$is_forced" ] && find_agent; } || return 0
  # shellcheck disable=SC2086 # an option or nothing
  "$program" verify "--server=$server" "--file=$file" ${prefix:+"--prefix=$prefix"} $older \
    </dev/null >"$work/said" 2>&1 && return
  status=$?
  case $status$older in
    "$EXIT_NETWORK"* | "$EXIT_CHECKSUM"*) fail "$status" "$(cat "$work/said")" ;;
    # It may know the question, and not yet this option.
    "$EXIT_USAGE"-*) older='' && ask_installed ;;
    # It is older than this question, or belongs to another server.
    *) ;;
  esac
}

# Takes the agent from the file that somebody has brought; sets file. What is checked and run is a copy: whoever
# may write beside the file could exchange it in between.
take_package() {
  size=1000000000
  { [ -f "$package" ] && [ -r "$package" ]; } || misuse '--package cannot be read.'
  head -c "$size" <"$package" >"$work/in" || no_room
  if [ -n "$package_hash" ]; then
    sha256=$package_hash name=rport-agent
    is_right "$work/in" || fail "$EXIT_CHECKSUM" '--package does not have the SHA-256 that was given.'
    case $package in *.cjs*) target=node ;; *) ;; esac
    [ "$target" != node ] || find_node || unsupported "This needs Node.js $MIN_NODE."
  else
    choose_target
  fi
  file=$work/$name
  unpack "$package" <"$work/in"
  rm "$work/in"
  [ -n "$package_hash" ] || check_download "$file"
  chmod 700 "$file"
}

does_run() {
  answer=$(run_agent --version </dev/null 2>&1) && case $answer,$package_hash in
    "rport-agent $VERSION,"* | 'rport-agent '*,?*) return 0 ;;
    *) ;;
  esac
  detail "It says: $answer"
  return 1
}

cannot_run() {
  more=''
  case $target in *-musl) more=' On Alpine Linux it needs: apk add libstdc++ libgcc' ;; *) ;; esac
  unsupported "The agent does not run on this machine.$more"
}

# The last word about whether a program runs on a machine is to run it.
get_running_agent() {
  if [ -n "$package" ]; then take_package; else choose_target && get_agent; fi
  ! does_run || return 0
  [ "$target,$runtime,$package" != "$fitting,auto," ] || ! find_file node || ! find_node || {
    say 'The executable does not run on this machine; trying Node.js.'
    runtime=node
    choose_target
    get_agent
    does_run && return
  }
  cannot_run
}

# Asks for the token without showing it, if there is somebody to ask.
ask_token() {
  if [ -n "$is_silent" ] || ! { : </dev/tty; } 2>/dev/null; then
    misuse 'A pairing token is needed: --token-stdin or --token-file.'
  fi
  terminal=$(stty -g </dev/tty)
  trap 'stty "$terminal" </dev/tty; exit "$EXIT_FAILED"' INT TERM HUP
  stty -echo </dev/tty
  printf 'Pairing token: ' >/dev/tty
  IFS= read -r token </dev/tty || token=''
  stty "$terminal" </dev/tty
  trap : INT TERM HUP
  printf '\n' >/dev/tty
  check_token
}

# What is no token would mean something to some shells' echo.
check_token() {
  case $token in
    '' | -* | *[!A-Za-z0-9-]*) misuse 'The pairing token has 26 letters and digits.' ;;
    *) ;;
  esac
}

# Reads the token, and into the environment what else stands behind it. By lines, and not in a pipe:
# both have to be there afterwards.
read_input() {
  IFS= read -r token || :
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      http_proxy=* | https_proxy=* | all_proxy=* | no_proxy=* | HTTPS_PROXY=* | ALL_PROXY=* | \
        HTTP_PROXY=* | NO_PROXY=*)
        # shellcheck disable=SC2163 # the line has the name in it
        export "$line" ;;
      *) ;;
    esac
  done
}

needs_token() { [ -n "$is_forced" ] || [ ! -e "${prefix:-/etc/rport}/rport.conf" ]; }

# Everything else is the agent's own work: account, files, service, enrolment, waiting, undoing.
install_agent() {
  set -- "--server=$server" ${1+"$@"}
  trap : INT TERM HUP
  case $token_from$has_proxies in
    stdin) run_agent install --token-stdin "$@"; return ;;
    file) run_agent install --token-stdin "$@" <"$token_file"; return ;;
    # The proxies stood behind the token, so that it has been read.
    stdin*) ;;
    *)
      if [ -n "$is_dry" ] || ! needs_token; then
        run_agent install "$@" </dev/null
        return
      fi
      ask_token ;;
  esac
  # Not printf: some shells run that as a program, whose arguments everybody sees.
  echo "$token" | run_agent install --token-stdin "$@"
}

# Files that were made elsewhere would have the labels of there.
restore_labels() {
  has restorecon && selinuxenabled 2>/dev/null || return 0
  set -- -R "$prefix"
  # Nothing below the folders of the agent's account, which could exchange what is there.
  [ -n "$prefix" ] || set -- /usr/local/bin/rport-agent /usr/local/lib/rport /usr/local/lib/rport/* \
    /etc/rport /etc/rport/* /var/lib/rport /var/lib/rport/* /etc/systemd/system/rport.service
  restorecon -i "$@" || :
}

# Removing and telling are done by the program that is installed.
use_installed() {
  if ! find_agent; then
    say "There is no agent at $program."
    [ "$action" = uninstall ] || exit "$EXIT_FAILED"
    return 0
  fi
  "$program" "$action" ${1+"$@"} </dev/null
}

check_usage() {
  [ -n "$VERSION" ] || fail "$EXIT_FAILED" 'This is the template. The one to use is made by a build.'
  case $runtime in auto | bun | node) ;; *) misuse '--runtime is auto, bun or node.' ;; esac
  [ "$action" = install ] || return 0
  [ -n "$server" ] || misuse '--server is missing.'
  case $server in
    http://?* | https://?*) ;;
    *) misuse '--server must begin with http:// or https://.' ;;
  esac
  case $server in *[[:space:][:cntrl:]]*) misuse '--server has blanks in it.' ;; *) ;; esac
  case $tls_pin in '' | sha256//?*) ;; *) misuse '--tls-pin is sha256//...' ;; esac
  if [ "$token_from" = stdin ] && [ ! -f "$0" ]; then
    fail "$EXIT_USAGE" 'This script came through standard input, so the token cannot.' \
      'Save the script first, or use --token-file.'
  fi
  if [ -n "$has_proxies" ] && [ "$token_from" != stdin ]; then
    misuse '--proxy-stdin needs --token-stdin.'
  fi
  case $proxy in
    *@*) misuse 'Everybody sees options, so --proxy takes no password. Use --proxy-stdin.' ;;
    '' | http://?* | https://?*) ;;
    *) misuse '--proxy must begin with http:// or https://.' ;;
  esac
  case $package,$package_hash in
    *://*) misuse '--package takes a file. Fetch it first.' ;;
    ,?*) misuse '--sha256 needs --package.' ;;
    *) ;;
  esac
  case ${#package_hash},$package_hash in
    0,) ;;
    64,*[!0-9a-f]* | [!6]* | 6[!4]* | 64?,*) misuse '--sha256 has 64 digits of 0 to 9 and a to f.' ;;
    *) ;;
  esac
  [ "$token_from" != file ] || [ -r "$token_file" ] || misuse '--token-file cannot be read.'
}

check_root() {
  case $action,$prefix$is_dry in status,* | *,?*) return 0 ;; *) ;; esac
  [ "$uid" != 0 ] || return 0
  pipe='' become=''
  [ "$token_from" != stdin ] || pipe='echo TOKEN | '
  for tool in run0 doas sudo; do ! has "$tool" || become="$tool "; done
  [ -n "$become" ] || say 'Become root first.'
  say 'This needs root. Run:'
  say "  ${pipe}${become}sh $1"
  say 'Or keep everything below a directory of yours: --prefix DIR'
  exit "$EXIT_ROOT"
}

# Sorts the options: what the agent has to know stays in "$@", always as one word --option=value.
# To posh an empty "$@" is a parameter that is not set, hence ${1+"$@"}.
main() {
  command_line=$(quoted "$0" ${1+"$@"})
  left=$#
  while [ "$left" -gt 0 ]; do
    option=$1
    shift
    left=$((left - 1))
    case $option in
      -a) option=--user ;;
      -d) option=--new-id ;;
      -f) option=--force ;;
      -g) option=--tag ;;
      -u) option=--uninstall ;;
      -z) option=--package ;;
      -[xsrb]*) misuse "$option is refused: this agent runs no commands and receives no files." ;;
      -t) misuse "-t is refused: there is one release, the server's." ;;
      -[ilp]) misuse "$option is refused: this installer has no tacoscript and no package sources," \
        "and takes SELinux as it is." ;;
      *) ;;
    esac
    # With --prefix no account is behind it: terminals are the user's own.
    case $option,${1-} in --terminals, | --terminals,-*) option=$option= ;; *) ;; esac
    case $option in
      --server | --pairing | --tls-pin | --name | --tag | --user | --prefix | --runtime | --token-file | --proxy | \
        --package | --sha256 | --terminals)
        [ "$left" -gt 0 ] || misuse "$option needs a value."
        option="$option=$1"
        shift
        left=$((left - 1)) ;;
      *) ;;
    esac
    case $option in
      --help | -h) usage; exit 0 ;;
      --version) printf '%s\n' "$VERSION"; exit 0 ;;
      --server=*) server=${option#*=} ;;
      --prefix=*)
        prefix=${option#*=}
        # No shell does it behind the sign of equality.
        # shellcheck disable=SC2088
        case $prefix in '~' | '~/'*) prefix=${HOME:-}${prefix#?} ;; *) ;; esac
        set -- ${1+"$@"} "--prefix=$prefix" ;;
      --force) is_forced=yes; set -- ${1+"$@"} "$option" ;;
      --dry-run) is_dry=yes; set -- ${1+"$@"} "$option" ;;
      --pairing=* | --name=* | --tag=* | --user=* | --new-id | --no-service | --no-start | --keep-config | \
        --terminals=* | --no-terminals)
        set -- ${1+"$@"} "$option" ;;
      --tls-pin=*) tls_pin=${option#*=}; set -- ${1+"$@"} "$option" ;;
      --proxy=*) proxy=${option#*=} ;;
      --package=*) package=${option#*=} ;;
      --sha256=*) package_hash=${option#*=} ;;
      --allow-downgrade) older=$option ;;
      --runtime=*) runtime=${option#*=} ;;
      --token-file=*) token_from=file token_file=${option#*=} ;;
      --token-stdin) token_from=stdin ;;
      --proxy-stdin) has_proxies=yes ;;
      --uninstall) action=uninstall ;;
      --status) action=status ;;
      --purge) ;;
      --yes) is_silent=yes ;;
      --verbose) is_verbose=yes ;;
      -*) misuse "${option%%=*} is not known." ;;
      *) misuse 'There is a word too many.' ;;
    esac
  done
  check_usage
  uid=$(id -u)
  check_root "$command_line"
  # These would make the runtimes load or report something else.
  unset BUN_OPTIONS BUN_BE_BUN NODE_OPTIONS
  export DO_NOT_TRACK=1 BUN_ENABLE_CRASH_REPORTING=0
  if [ "$action" != install ]; then
    use_installed ${1+"$@"}
    return
  fi
  if [ -n "$has_proxies" ]; then
    read_input
    check_token
  fi
  [ -z "$proxy" ] || export "http_proxy=$proxy" "https_proxy=$proxy"
  { [ -n "$is_silent" ] || [ ! -t 2 ]; } || is_shown=yes
  trap clean_up EXIT
  trap 'exit "$EXIT_FAILED"' INT TERM HUP
  choose_tools
  make_work
  get_running_agent
  install_agent ${1+"$@"}
  restore_labels
}

main ${1+"$@"}
exit
}
