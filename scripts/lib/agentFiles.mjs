// The files that installers fetch: the agent for each target, the script with their hashes in it,
// the licences of what is in them, and a manifest for the backend that serves all of this.
import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { run } from "./command.mjs";
import { bunNotices, noticesFile } from "./notices.mjs";
import { root } from "./paths.mjs";

const usual = join(root, "dist", "agent");
const bundle = "agent.cjs";
const version = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;

/** Executables by the name of their target; Bun's package of the same platform builds them. */
const executables = [
  {
    target: "linux-x64",
    name: "rport-agent-linux-x64",
    bun: join(root, "node_modules", "@oven", "bun-linux-x64", "bin", "bun"),
  },
];

/**
 * Bun would otherwise read a `.env` or `bunfig.toml` of the directory in which a service of root
 * happens to start. Compiled bytecode saves 2 MB of every host's memory, and starts faster.
 */
const compileFlags = [
  "--compile",
  "--bytecode",
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  "--target=bun-linux-x64",
];

async function compile(out, { name, bun }) {
  const file = join(out, name);
  const args = ["build", ...compileFlags, `--outfile=${file}`, join(out, bundle)];
  const { code, output } = await run(bun, args, { quiet: true });
  if (code !== 0) throw new Error(`bun build failed:\n${output}`);
  chmodSync(file, 0o755);
}

function describe(out, target, name) {
  const bytes = readFileSync(join(out, name));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { target, name, size: statSync(join(out, name)).size, sha256 };
}

/** Puts version and hashes between the two marker lines of the installer. */
export function stamp(script, files) {
  const lines = files.map(
    ({ target, size, sha256, name }) => `${target} ${size} ${sha256} ${name}`,
  );
  const block = /(# BEGIN MANIFEST\n)[\s\S]*?(# END MANIFEST\n)/;
  if (!block.test(script)) throw new Error("the installer has no manifest block");
  const filled = `VERSION='${version}'\nMANIFEST='${lines.join("\n")}'\n`;
  return script.replace(block, (_, begin, end) => begin + filled + end);
}

/**
 * Builds what installers fetch from the agent's bundle, which is in the directory already and
 * beside which everything is put; executables only where Bun is installed.
 */
export async function buildAgentFiles(out = usual) {
  const files = [describe(out, "node", bundle)];
  for (const executable of executables.filter(({ bun }) => existsSync(bun))) {
    await compile(out, executable);
    files.unshift(describe(out, executable.target, executable.name));
  }
  const name = "rport-installer.sh";
  const script = stamp(readFileSync(join(root, "installers", name), "utf8"), files);
  writeFileSync(join(out, name), script);
  const { sha256 } = describe(out, "script", name);
  if (files.length > 1) appendFileSync(join(out, noticesFile), `\n${bunNotices()}`);
  const licences = readdirSync(out)
    .filter((file) => file === noticesFile || file.endsWith(".LICENSE.txt"))
    .map((file) => describe(out, "licences", file));
  const manifest = { version, script: { name, sha256 }, files: [...files, ...licences] };
  writeFileSync(join(out, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}
