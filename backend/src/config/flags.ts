import { type ParseArgsConfig, parseArgs } from "node:util";
import { unknownName, wrongSetting } from "./check.ts";

/** Flags by their name, for `parseArgs`. */
type Flags = NonNullable<ParseArgsConfig["options"]>;

/** A flag as it is written. */
interface WrittenFlag {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

/**
 * Reads a command line. Fails with a `StartFailure` that names the flag which is unknown, lacks its
 * value, or takes none.
 */
export function readFlags<const F extends Flags>(argv: readonly string[], flags: F) {
  const args = [...argv];
  const { tokens } = parseArgs({ args, options: flags, strict: false, tokens: true });
  for (const token of tokens) {
    const why = token.kind === "option" ? whyNot(token, flags) : undefined;
    if (why !== undefined) throw wrongSetting(`command line: ${why}`);
  }
  return parseArgs({ args, options: flags, allowPositionals: true });
}

function whyNot(
  { name, rawName, value, inlineValue }: WrittenFlag,
  flags: Flags,
): string | undefined {
  if (!Object.hasOwn(flags, name)) {
    const names = Object.keys(flags).map((known) => `--${known}`);
    return unknownName("flag", rawName, names);
  }
  if (flags[name]?.type === "boolean") {
    return value === undefined ? undefined : `${rawName} takes no value.`;
  }
  // What looks like the next flag is none; `--flag=-1` says that it is meant.
  const isMissing = !value || (inlineValue !== true && value.startsWith("-"));
  return isMissing ? `${rawName} needs a value.` : undefined;
}
