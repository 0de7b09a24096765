import { ADMINISTRATORS, type TokenScope, tokenScopeSchema } from "@rport/protocol/people/right";
import { wrongSetting } from "../../config/check.ts";
import { DATA_DIR_FLAGS } from "../../config/dataDirFlags.ts";
import { readFlags } from "../../config/flags.ts";

const FLAGS = {
  ...DATA_DIR_FLAGS,
  administrator: { type: "boolean" },
  group: { type: "string", multiple: true },
  "display-name": { type: "string" },
  expired: { type: "boolean" },
  "dry-run": { type: "boolean" },
  name: { type: "string" },
  scope: { type: "string" },
  days: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/** The arguments after `user`, as they are written. */
export type UserFlags = ReturnType<typeof readUserFlags>;

type Values = UserFlags["values"];

/** Flags that only some of the commands take. */
const OF_COMMANDS: Readonly<Record<string, readonly (keyof Values)[]>> = {
  add: ["administrator", "group", "display-name", "expired"],
  passwd: ["expired"],
  disable: ["dry-run"],
  token: ["name", "scope", "days"],
  invite: ["administrator", "group", "display-name"],
};
const OF_ALL: ReadonlySet<string> = new Set(["config", "data-dir", "help"]);

/** Reads the command line. Fails with a `StartFailure`. */
export function readUserFlags(argv: readonly string[]) {
  return readFlags(argv, FLAGS);
}

/** Throws when a flag was given that the command does nothing with. */
export function requireTaken(command: string, values: Values): void {
  const taken: readonly string[] = OF_COMMANDS[command] ?? [];
  const other = Object.keys(values).find((name) => !OF_ALL.has(name) && !taken.includes(name));
  if (other === undefined) return;
  throw wrongSetting(`command line: user ${command} takes no --${other}. See user --help.`);
}

/** The groups that were named, each once. */
export function groupsOf({ administrator, group = [] }: Values): string[] {
  return [...new Set([...(administrator === true ? [ADMINISTRATORS] : []), ...group])];
}

/** The scope that was named. */
export function scopeOf({ scope = "read+write" }: Values): TokenScope {
  const parsed = tokenScopeSchema.safeParse(scope);
  if (parsed.success) return parsed.data;
  const known = tokenScopeSchema.options.join(", ");
  throw wrongSetting(`command line: --scope is one of ${known}.`);
}

/** When a token ends that is made now: after a year, or as many days as were named; null: never. */
export function endOf({ days = "365" }: Values, nowMs: number): string | null {
  if (!/^\d{1,5}$/.test(days)) throw wrongSetting("command line: --days needs a number of days.");
  return days === "0" ? null : new Date(nowMs + Number(days) * 86_400_000).toISOString();
}
