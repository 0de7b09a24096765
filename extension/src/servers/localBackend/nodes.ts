import { execFile } from "node:child_process";
import { posix, win32 } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import type { Environment } from "../../support/environment.ts";

/** A program that does not answer within this time is none. */
const ASK_MS = 10_000;
/** Asked of each Node: its version, and whether it has what old builds of new versions lack. */
const QUESTION =
  "JSON.stringify([process.versions.node, require('node:module').isBuiltin('node:sqlite')])";

const answerSchema = z.tuple([z.string().max(40), z.boolean()]);

/** What came of looking for a Node that is new enough. */
export type NodeSearch =
  | { readonly kind: "found"; readonly path: string }
  /** The versions of those that are there. */
  | { readonly kind: "none"; readonly versions: readonly string[] };

/**
 * The Nodes that may run the backend, best first: the one that runs the editor's extensions, then those in
 * the person's PATH. Only full paths: others would depend on the folder that is open.
 */
export function nodeCandidates(environment: Environment, execPath: string): readonly string[] {
  const isWindows = environment.platform === "win32";
  const { isAbsolute, join, delimiter } = isWindows ? win32 : posix;
  const folders = (environment.variable("PATH") ?? "").split(delimiter).filter(isAbsolute);
  const program = isWindows ? "node.exe" : "node";
  return [...new Set([execPath, ...folders.map((folder) => join(folder, program))])];
}

/** The first of these that is as new as `oldest`, a major version. Runs each until one is. */
export async function findNode(candidates: readonly string[], oldest: number): Promise<NodeSearch> {
  const versions: string[] = [];
  for (const path of candidates) {
    const answer = await ask(path);
    if (answer === undefined) continue;
    const [version, hasDatabase] = answer;
    if (hasDatabase && Number.parseInt(version, 10) >= oldest) return { kind: "found", path };
    versions.push(version);
  }
  return { kind: "none", versions };
}

async function ask(path: string): Promise<z.infer<typeof answerSchema> | undefined> {
  try {
    const options = { env: nodeEnvironment(process.env), timeout: ASK_MS, windowsHide: true };
    const { stdout } = await promisify(execFile)(path, ["-p", QUESTION], options);
    return answerSchema.parse(JSON.parse(stdout));
  } catch {
    return undefined;
  }
}

/**
 * The environment of a Node that the editor starts: the person's own, without what is meant for the editor's
 * processes, and with what makes the editor's own program a Node.
 */
export function nodeEnvironment(given: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(given).filter(
    ([name]) => !/^(VSCODE_|ELECTRON_|NODE_OPTIONS$|NODE_CHANNEL_)/.test(name),
  );
  return { ...Object.fromEntries(kept), ELECTRON_RUN_AS_NODE: "1" };
}
