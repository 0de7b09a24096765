import { closest } from "@rport/protocol/closest";
import type { z } from "zod";
import { StartFailure } from "../platform/startFailure.ts";
import { insteadOf } from "./rportdKeys.ts";
import type { RawSettings, Settings } from "./settings.ts";
import { SECRET_KEYS, SECTIONS, settingsSchema } from "./settings.ts";

/** One place settings come from, and how messages name it and its keys. */
export interface Source {
  /** Such as the file's path. */
  readonly name: string;
  readonly raw: unknown;
  /** How the source spells `server.address`. */
  readonly spell: (key: string) => string;
}

/**
 * Checks what one source says. Fails with a `StartFailure` naming source, key and what is allowed.
 */
export function checkSettings(source: Source): Settings {
  const parsed = settingsSchema.safeParse(source.raw);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.flatMap((issue) => explain(source, issue));
  throw wrongSetting(lines.map((line) => `${source.name}: ${line}`).join("\n"));
}

/** A message about the configuration, as a reason not to start. */
export function wrongSetting(message: string): StartFailure {
  return new StartFailure("configuration", message);
}

/** "There is no x. Did you mean y?" and all there is. */
export function unknownName(what: string, name: string, names: readonly string[]): string {
  const meant = closest(name, names);
  const guess = meant === undefined ? "" : ` Did you mean "${meant}"?`;
  return `there is no ${what} "${name}".${guess} Allowed: ${names.join(", ")}.`;
}

function explain(source: Source, issue: z.core.$ZodIssue): string[] {
  const place = issue.path.map(String);
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(place, key));
  const key = place.slice(0, 2).join(".");
  const value = SECRET_KEYS.includes(key) ? "" : shown(source.raw, issue.path);
  return [`${source.spell(key)}${value} ${problemOf(issue)}.`];
}

function unknownKey(place: readonly string[], key: string): string {
  const [section] = place;
  const name = section === undefined ? `[${key}]` : `[${section}] ${key}`;
  const instead = section === undefined ? insteadOf(key) : insteadOf(section, key);
  if (instead !== undefined) return `RPort's ${name} has no effect here: ${instead}.`;
  if (section === undefined) return unknownName("section", key, Object.keys(SECTIONS));
  return unknownName(`key in [${section}]`, key, SECTIONS[section] ?? []);
}

function problemOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_value":
      return `has to be one of ${issue.values.join(", ")}`;
    case "invalid_type":
      return `has to be of type ${issue.expected}`;
    case "too_small":
      return issue.message.startsWith("has to") ? issue.message : `is less than ${issue.minimum}`;
    case "too_big":
      return `is more than ${issue.maximum}`;
    case "invalid_union":
      return "has to be a URL that begins with http:// or https://, or a list of those";
    default:
      return issue.message;
  }
}

function shown(raw: unknown, path: readonly PropertyKey[]): string {
  let value: unknown = raw;
  for (const key of path) value = isRecord(value) ? value[String(key)] : undefined;
  return value === undefined ? "" : ` = ${JSON.stringify(value).slice(0, 100)}`;
}

function isRecord(value: unknown): value is RawSettings[string] {
  return typeof value === "object" && value !== null;
}
