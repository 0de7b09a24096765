import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Programs } from "../../../agent/src/machine/programs.ts";
import { run } from "../systemd/process.ts";

/**
 * Keeps records as `dscl` does: a folder per record, a file per key. As there, whoever reads a record
 * that is not there gets an error, and a value with blanks stands on a line of its own.
 */
const DSCL = `#!/bin/sh
set -eu
records=$STATE/records verb=$2 path=$STATE/records$3
case $verb in
  -create) mkdir -p "$path"; [ $# -lt 5 ] || printf '%s\\n' "$5" >"$path/$4" ;;
  -delete) rm -r "$path" ;;
  -list) for each in "$path"/*; do [ ! -f "$each/$4" ] || echo "\${each##*/} $(cat "$each/$4")"; done ;;
  -read)
    [ -d "$path" ] || { echo 'eDSRecordNotFound' >&2; exit 56; }
    shift 3
    for key; do
      [ -f "$path/$key" ] || { echo "No such key: $key" >&2; continue; }
      case $(cat "$path/$key") in
        *' '*) printf '%s:\\n %s\\n' "$key" "$(cat "$path/$key")" ;;
        *) printf '%s: %s\\n' "$key" "$(cat "$path/$key")" ;;
      esac
    done ;;
esac
`;

/** Starts what a plist says, as the account that it names, and ends it; as \`launchctl\` is called. */
const LAUNCHCTL = `#!/bin/sh
set -eu
jobs=$STATE/jobs
mkdir -p "$jobs"
value() { xmllint --nonet --xpath "string(//key[.='$1']/following-sibling::*[1])" "$2"; }
case $1 in
  print) [ "$2" = system ] || { [ -e "$jobs/\${2#system/}" ] && kill -0 "$(cat "$jobs/\${2#system/}")"; } 2>/dev/null || exit 113 ;;
  enable) ;;
  bootstrap)
    xmllint --nonet --noout "$3"
    [ "$(stat -c %u:%g:%a "$3")" = 0:0:644 ] || { echo 'Bootstrap failed: 5' >&2; exit 5; }
    label=$(value Label "$3") user=$(value UserName "$3") log=$(value StandardOutPath "$3")
    id=$(cat "$STATE/records/Users/$user/UniqueID")
    words=$(xmllint --nonet --xpath "//key[.='ProgramArguments']/following-sibling::*[1]/string/text()" "$3")
    # shellcheck disable=SC2086 # the words of the plist of this test have no blanks
    setsid setpriv --reuid "$id" --regid "$id" --clear-groups $words </dev/null >>"$log" 2>&1 &
    echo $! >"$jobs/$label" ;;
  bootout) kill "$(cat "$jobs/\${2#system/}")" ;;
  *) echo "unknown: $1" >&2; exit 64 ;;
esac
`;

/** macOS's own tools as far as an installation calls them, by stand-ins first in the path. */
export async function macTools(directory: string): Promise<Programs & { readonly state: string }> {
  const state = join(directory, "mac");
  await mkdir(join(state, "records/Users"), { recursive: true });
  await mkdir(join(state, "records/Groups"), { recursive: true });
  for (const [name, text] of Object.entries({ dscl: DSCL, launchctl: LAUNCHCTL })) {
    await writeFile(join(state, name), text);
    await chmod(join(state, name), 0o755);
  }
  const env = { PATH: `${state}:/usr/sbin:/usr/bin:/sbin:/bin`, STATE: state };
  return { state, run: (program, args) => run(program, args, { env }) };
}

/** What the stand-in of \`dscl\` keeps of a record's key. */
export function recordOf(state: string, record: string, key: string): Promise<string> {
  return readFile(join(state, "records", record, key), "utf8").then((text) => text.trim());
}
