import type { Layout } from "./layout.ts";

/** The program that is running now, as it can be copied to its final place. */
export type Self =
  /** An executable that needs nothing else. */
  | { readonly kind: "executable"; readonly file: string }
  /** One file of JavaScript, and the Node that runs it; absolute paths. */
  | { readonly kind: "bundle"; readonly file: string; readonly node: string };

/** What tells which of the two we are: `process`. */
export interface ProcessFacts {
  readonly execPath: string;
  readonly argv: readonly string[];
  readonly versions: Readonly<Record<string, string | undefined>>;
}

/** Finds out what is running. Inside an executable made by Bun there is no script file. */
export function findSelf({ execPath, argv, versions }: ProcessFacts): Self {
  if (versions.bun !== undefined) return { kind: "executable", file: execPath };
  return { kind: "bundle", file: argv[1] ?? "", node: execPath };
}

/** How services start the installed agent: absolute program and arguments. */
export function runCommand(layout: Layout, self: Self): readonly [string, ...string[]] {
  const args = ["run", "-c", layout.config];
  if (self.kind === "executable") return [layout.program, ...args];
  return [self.node, layout.bundle, ...args];
}
