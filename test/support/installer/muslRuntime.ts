import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../systemd/process.ts";

/** The loader of musl, from the Debian package of that name. */
export const MUSL_LOADER = "/lib/ld-musl-x86_64.so.1";

/**
 * What the C++ library in Debian, made for glibc, asks of glibc alone. Nothing here is called by a
 * program that throws no C++ exception and draws no number from C++.
 */
const SHIM = `
void abort(void);
char __libc_single_threaded = 0;
int _dl_find_object(void *address, void *result) { return -1; }
unsigned arc4random(void) { abort(); }
`;

/** Why no program for musl can be run here, or undefined. */
export function whyNoMusl(): string | undefined {
  if (!existsSync(MUSL_LOADER)) return "musl is not installed";
  return undefined;
}

/**
 * Makes the `libstdc++.so.6` that a program for musl needs, as Alpine's package has it: Debian has none
 * for musl, so it is linked from the parts that this machine's compiler has, with what the program asks for.
 *
 * @returns the directory with the library, for LD_LIBRARY_PATH
 */
export async function muslCxx(program: string, directory: string): Promise<string> {
  const libraries = join(directory, "musl");
  await mkdir(libraries);
  const source = join(libraries, "shim.c");
  await writeFile(source, SHIM);
  const { stderr } = await run(MUSL_LOADER, [program, "--version"]);
  const symbols = [...stderr.matchAll(/relocating .*: (\w+): symbol not found/g)];
  const wanted = symbols.map(([, symbol]) => `-Wl,-u,${symbol}`);
  const parts = ["crtbeginS.o", "libstdc++.a", "libgcc_eh.a", "libgcc.a", "crtendS.o"];
  const files = await Promise.all(parts.map(partOfCompiler));
  const output = ["-o", join(libraries, "libstdc++.so.6")];
  const flags = ["-shared", "-fPIC", "-nostdlib", "-x", "c", source, "-x", "none"];
  const linked = await run("g++", [...flags, ...output, ...wanted, ...files]);
  if (linked.code !== 0) throw new Error(`the library cannot be linked: ${linked.stderr}`);
  return libraries;
}

async function partOfCompiler(name: string): Promise<string> {
  return (await run("g++", [`-print-file-name=${name}`])).stdout.trim();
}
