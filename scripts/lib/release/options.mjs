// What may stand behind `npm run release --`.
import { parseArgs } from "node:util";
import { targetsOf } from "../agent/targets.mjs";
import { ReleaseRefused } from "./refused.mjs";
import { isVersion } from "./versions.mjs";

/** The command's own help. */
export const usage = `npm run release -- VERSION              make a release: artefacts, a commit, a tag
npm run release -- --dry-run [VERSION]  make the artefacts only; --target NAME|all, which may be
                                        repeated, adds executables to those that are built already
npm run release                         make the artefacts of the commit here, which has the tag
Nothing is ever published or pushed by it.`;

function parsed(args) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        "dry-run": { type: "boolean", default: false },
        target: { type: "string", multiple: true, default: [] },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new ReleaseRefused(`${error.message}\n\n${usage}`);
  }
}

/**
 * What a command line asks for.
 *
 * @param {readonly string[]} args
 * @returns {{ kind: "help" | "dry" | "make" | "remake", version?: string, targets: string[] }}
 *   throws `ReleaseRefused` for what cannot be meant
 */
export function optionsOf(args) {
  const { values, positionals } = parsed(args);
  if (values.help) return { kind: "help", targets: [] };
  const [version, ...others] = positionals;
  const isDry = values["dry-run"];
  if (others.length > 0) throw new ReleaseRefused(`One version, please.\n\n${usage}`);
  if (version !== undefined && !isVersion(version)) {
    throw new ReleaseRefused(`"${version}" is no version such as 1.2.3 or 1.2.3-beta.1.`);
  }
  if (!isDry && values.target.length > 0) {
    throw new ReleaseRefused("A release has the agent for all targets: --target is for --dry-run.");
  }
  const kind = isDry ? "dry" : version === undefined ? "remake" : "make";
  return { kind, version, targets: targetsOf(isDry ? values.target : ["all"]) };
}
