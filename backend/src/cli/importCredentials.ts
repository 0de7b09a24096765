import { RportError } from "@rport/protocol/errors";
import { wrongSetting } from "../config/check.ts";
import { DATA_DIR_FLAGS, dataDirFlags } from "../config/dataDirFlags.ts";
import { readFlags } from "../config/flags.ts";
import type { CommandResult, DataDirOf } from "../platform/commandResult.ts";
import { StartFailure } from "../platform/startFailure.ts";
import { readCredentialFile } from "./credentialFile.ts";
import { type ImportedCredential, type ImportPlan, planImport } from "./importPlan.ts";
import { callRunning } from "./runningBackend.ts";

/** What `import-credentials --help` prints. */
export const IMPORT_HELP = `Usage: rport-backend import-credentials FILE [flags]

Makes credentials from RPort's client-auth.json, with the passwords they have there, in the backend
that is running. Without --apply it only tells what it would do. Credentials that exist stay as they
are, so the same may be run again.

      --apply               do it
      --joins-per-minute N  how many hosts the new credentials may bring in per minute that were never
                            seen before; for fleets that share one auth id
      --data-dir DIR        where the backend keeps everything; also -c and RPORT_SERVER_DATA_DIR
  -c, --config FILE
  -h, --help

Exit status: 0 every entry exists or was made (would be, without --apply), 1 some cannot be, 2 wrong
flags or file, 69 no backend runs.`;

const FLAGS = {
  ...DATA_DIR_FLAGS,
  apply: { type: "boolean" },
  "joins-per-minute": { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/** What a server that does not say it asks of a password. */
const USUAL_MIN_LENGTH = 12;
/** Shown of a list; a fleet may have thousands. */
const LISTED_MAX = 50;

interface Import {
  readonly dataDir: string;
  readonly joinsPerMinute: number | null;
}

/**
 * Runs `import-credentials ...`, given the arguments after that word. No line that it prints has a
 * password in it. Fails with a `StartFailure`.
 */
export async function importCredentials(
  argv: readonly string[],
  dataDirOf: DataDirOf,
): Promise<CommandResult> {
  const { values, positionals } = readFlags(argv, FLAGS);
  if (values.help === true) return { lines: [IMPORT_HELP], exitCode: 0 };
  const [file, ...others] = positionals;
  if (file === undefined || others.length > 0) {
    throw wrongSetting("command line: import-credentials takes one file. See its --help.");
  }
  const joinsPerMinute = joinsOf(values["joins-per-minute"]);
  const entries = await readCredentialFile(file);
  const wanted = { dataDir: dataDirOf(dataDirFlags(values)), joinsPerMinute };
  const plan = planImport(entries, await factsOf(wanted.dataDir));
  return values.apply === true ? await apply(plan, wanted) : preview(plan);
}

function joinsOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const number = /^[1-9]\d{0,5}$/.test(text) ? Number(text) : Number.NaN;
  if (number <= 100_000) return number;
  throw wrongSetting("command line: --joins-per-minute needs a number from 1 to 100000.");
}

async function factsOf(dataDir: string) {
  const status = await callRunning(dataDir, "getStatus");
  const credentials = await callRunning(dataDir, "listCredentials");
  return {
    existing: new Set<string>(credentials.map(({ id }) => id)),
    minLength: status.client_auth_password_min_length ?? USUAL_MIN_LENGTH,
  };
}

function preview(plan: ImportPlan): CommandResult {
  const lines = [
    ...listed("would be made", plan.made.map(named)),
    ...unchanged(plan),
    plan.made.length === 0
      ? "Nothing was changed, and there is nothing to do."
      : "Nothing was changed. Run the same with --apply to make them.",
  ];
  return { lines, exitCode: plan.unusable.length === 0 ? 0 : 1 };
}

async function apply(plan: ImportPlan, wanted: Import): Promise<CommandResult> {
  const made: string[] = [];
  const failed: string[] = [];
  for (const entry of plan.made) {
    const reason = await whyNotMade(entry, wanted);
    if (reason === undefined) made.push(entry.id);
    else failed.push(`${entry.id}: ${reason}`);
  }
  const lines = [
    ...listed("made", made),
    ...listed("not made, and the same run again tries them again", failed),
    ...unchanged(plan),
  ];
  return { lines, exitCode: failed.length + plan.unusable.length === 0 ? 0 : 1 };
}

/** Makes a credential, or answers why it was not made. */
async function whyNotMade(
  { id, password }: ImportedCredential,
  { dataDir, joinsPerMinute }: Import,
): Promise<string | undefined> {
  const label = "from RPort";
  const limits = { joins_per_minute: joinsPerMinute };
  try {
    await callRunning(dataDir, "createCredential", { body: { id, password, label, limits } });
    return undefined;
  } catch (caught) {
    if (caught instanceof RportError || caught instanceof StartFailure) return caught.message;
    throw caught;
  }
}

function unchanged({ existing, unusable, shortest }: ImportPlan): string[] {
  const short = shortest === undefined ? [] : [remedyFor(shortest)];
  return [
    ...listed("exist already and stay as they are, with the passwords they have", existing),
    ...listed(
      "cannot be made",
      unusable.map(({ id, reason }) => `${id}: ${reason}`),
    ),
    ...short,
  ];
}

/** What to set so that the shortest password is taken, as far as that can be. */
function remedyFor(shortest: number): string {
  const least = 3;
  if (shortest < least) return `No setting takes passwords of fewer than ${least} characters.`;
  return (
    `Set [server] client_auth_password_min_length = ${shortest} and restart the backend to take ` +
    "the short passwords, and rotate these credentials soon."
  );
}

function named({ id }: ImportedCredential): string {
  return id;
}

/** A heading with the number, and the items below it; nothing when there are none. */
function listed(what: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  const more = items.length - LISTED_MAX;
  const rest = more > 0 ? [`  and ${more} more`] : [];
  return [
    `${items.length} ${what}:`,
    ...items.slice(0, LISTED_MAX).map((one) => `  ${one}`),
    ...rest,
  ];
}
