import type { Layout } from "../layout.ts";
import type { Wrapper } from "../platform.ts";
import { quoted } from "./quoted.ts";

const WRAPPER = /^#!\/bin\/sh\nexec '(.+)' '.+' "\$@"\n$/;

/** A script of the shell. */
export const SHELL_WRAPPER: Wrapper = {
  render: ({ bundle }: Layout, node) => `#!/bin/sh\nexec ${quoted(node)} ${quoted(bundle)} "$@"\n`,
  nodeIn: (text) => WRAPPER.exec(text)?.[1]?.replaceAll(`'\\''`, "'"),
};
