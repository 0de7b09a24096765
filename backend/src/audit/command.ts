import { wrongSetting } from "../config/check.ts";
import { DATA_DIR_FLAGS, dataDirFlags } from "../config/dataDirFlags.ts";
import { readFlags } from "../config/flags.ts";
import type { CommandResult, DataDirOf } from "../platform/commandResult.ts";
import { EXIT_CODES } from "../platform/startFailure.ts";
import { auditKeyOf, dataPaths, ioFailure } from "../store/files/dataDirectory.ts";
import type { Head } from "./chain.ts";
import { indexHead } from "./index/indexHead.ts";
import { type Verdict, verifyLog } from "./verify.ts";

/** What `audit --help` prints. */
export const AUDIT_HELP = `Usage: rport-backend audit verify [flags]

Checks the whole audit log: every entry's seal, and that none was changed, removed, added or moved.
Only reads, so it may run while the backend does. What was cut off at the end is found where the index
(audit.sqlite) still has it, and for certain with an entry that was noted elsewhere before: each run
prints its last one for that.

      --data-dir DIR       where the backend keeps everything; also -c and RPORT_SERVER_DATA_DIR
  -c, --config FILE
      --expect-seq N       the noted entry: its number
      --expect-hash HASH   and its hash
  -h, --help

Exit status: 0 the log is sound, 65 it is not, 2 wrong flags, 74 it cannot be read.`;

const FLAGS = {
  ...DATA_DIR_FLAGS,
  "expect-seq": { type: "string" },
  "expect-hash": { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/**
 * Runs `audit ...`, given the arguments after that word. `dataDirOf` finds the data directory from
 * the flags of the backend among them. Fails with a `StartFailure`.
 */
export async function auditCommand(
  argv: readonly string[],
  dataDirOf: DataDirOf,
): Promise<CommandResult> {
  const { values, positionals } = readFlags(argv, FLAGS);
  if (values.help === true) return { lines: [AUDIT_HELP], exitCode: 0 };
  if (positionals.join(" ") !== "verify") {
    throw wrongSetting('command line: "audit" knows one command: audit verify. See audit --help.');
  }
  const noted = notedEntry(values["expect-seq"], values["expect-hash"]);
  const paths = dataPaths(dataDirOf(dataDirFlags(values)));
  const key = await auditKeyOf(paths);
  const indexed = indexHead(paths.auditIndex);
  const input = { directory: paths.audit, key, noted, indexed };
  const verdict = await verifyLog(input).catch((caught: unknown) => {
    throw ioFailure(paths.audit, caught);
  });
  return report(verdict);
}

function notedEntry(seq: string | undefined, hash: string | undefined): Head | undefined {
  if (seq === undefined && hash === undefined) return undefined;
  const isGood = /^[1-9][0-9]{0,14}$/.test(seq ?? "") && /^[0-9a-f]{64}$/.test(hash ?? "");
  if (isGood && hash !== undefined) return { seq: Number(seq), hash };
  throw wrongSetting(
    "command line: --expect-seq needs a number and --expect-hash 64 hexadecimal digits, together.",
  );
}

function report(verdict: Verdict): CommandResult {
  if (verdict.kind === "broken") {
    const { path, line, what } = verdict;
    const place = line === 0 ? path : `${path}, line ${line}`;
    return { lines: [`BROKEN: ${place}: ${what}.`], exitCode: EXIT_CODES.data };
  }
  const { segments, firstSeq, head, lost } = verdict;
  const lines = [
    `ok: ${head.seq - firstSeq + 1} entries in ${segments} files, seq ${firstSeq} to ${head.seq}`,
    `last hash: ${head.hash}`,
    `to notice later that entries were cut off: --expect-seq ${head.seq} --expect-hash ${head.hash}`,
  ];
  if (lost > 0) lines.push(`note: ${lost} entries could not be written when they were due.`);
  if (verdict.isTorn) {
    lines.push(
      "note: the last line is unfinished: being written now, or cut off at the next start.",
    );
  }
  return { lines, exitCode: 0 };
}
