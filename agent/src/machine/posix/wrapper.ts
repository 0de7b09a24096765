import type { Layout } from "../layout.ts";
import type { Wrapper } from "../platform.ts";

const WRAPPER = /^#!\/bin\/sh\nexec '(.+)' '.+' "\$@"\n$/;

/** A script of the shell. */
export const SHELL_WRAPPER: Wrapper = {
  render: ({ bundle }: Layout, node) => `#!/bin/sh\nexec ${quote(node)} ${quote(bundle)} "$@"\n`,
  nodeIn: (text) => WRAPPER.exec(text)?.[1]?.replaceAll(`'\\''`, "'"),
};

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
