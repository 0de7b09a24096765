import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { findMirror } from "./aptSources.ts";
import { run } from "./process.ts";

/** What starts a test system's services. */
export type InitName = "systemd" | "openrc" | "sysv";

/** What installers find on an ordinary small server; sudo because the pasted command uses it. */
const COMMON = ["curl", "ca-certificates", "sudo"];
/** Users get a systemd of their own by two of these. */
const PACKAGES: Readonly<Record<InitName, readonly string[]>> = {
  systemd: ["systemd", "systemd-sysv", "dbus", "dbus-user-session", "libpam-systemd", ...COMMON],
  openrc: ["openrc", ...COMMON],
  sysv: ["sysv-rc", "insserv", ...COMMON],
};

/** Raise when `finish` changes, so that caches of older checkouts are not used. */
const LAYOUT = 3;

/** debootstrap took 35 s on two cores; a slow mirror gets ten times that. */
const BUILD_TIMEOUT_MS = 350_000;

const HOSTS = "127.0.0.1 localhost rport-test\n::1 localhost\n";

/** The directory that keeps what is expensive to build; `RPORT_TEST_CACHE` moves it. */
export function cacheDirectory(): string {
  return process.env.RPORT_TEST_CACHE ?? join(homedir(), ".cache", "rport-tests");
}

/**
 * The path of a small root file system of the machine's own Debian release with such an init,
 * built at the first call from the machine's own package mirror. Nobody may change what is below:
 * it is shared by all tests. Rejects with debootstrap's last lines when it cannot be built.
 */
export async function ensureRootfs(init: InitName = "systemd"): Promise<string> {
  const suite = await readSuite();
  const key = createHash("sha256")
    .update(JSON.stringify([PACKAGES[init], LAYOUT, await initText(init)]))
    .digest("hex");
  const target = join(cacheDirectory(), `rootfs-${suite}-${key.slice(0, 12)}`);
  if (!existsSync(target)) await build(suite, init, target);
  return target;
}

async function build(suite: string, init: InitName, target: string): Promise<void> {
  await mkdir(cacheDirectory(), { recursive: true });
  const draft = await mkdtemp(`${target}.draft-`);
  try {
    await chmod(draft, 0o755);
    await debootstrap(suite, PACKAGES[init], draft);
    await finish(draft);
    if (init !== "systemd") await writeInit(init, draft);
    await publish(draft, target);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function debootstrap(
  suite: string,
  packages: readonly string[],
  draft: string,
): Promise<void> {
  const include = `--include=${packages.join(",")}`;
  const args = ["--variant=minbase", include, suite, draft, await findMirror(suite)];
  const result = await run("debootstrap", args, { timeoutMs: BUILD_TIMEOUT_MS });
  if (result.code !== 0) {
    const lines = `${result.stdout}${result.stderr}`.trimEnd().split("\n");
    throw new Error(`debootstrap failed (${result.code}):\n${lines.slice(-10).join("\n")}`);
  }
}

/** Every system booted from it finds its own machine id, knows localhost, and is 40 MB lighter. */
async function finish(root: string): Promise<void> {
  await writeFile(join(root, "etc/machine-id"), "");
  await rm(join(root, "var/lib/dbus/machine-id"), { force: true });
  await writeFile(join(root, "etc/hosts"), HOSTS);
  await writeFile(join(root, "etc/hostname"), "rport-test\n");
  const archives = join(root, "var/cache/apt/archives");
  for (const name of await readdir(archives)) {
    if (name.endsWith(".deb")) await rm(join(archives, name));
  }
}

/** The first process of a system that has no systemd: it does what its init would do at boot. */
async function writeInit(init: Exclude<InitName, "systemd">, root: string): Promise<void> {
  const path = join(root, "sbin/init");
  await rm(path, { force: true });
  await writeFile(path, await initText(init), { mode: 0o755 });
}

async function initText(init: InitName): Promise<string> {
  return init === "systemd" ? "" : readFile(new URL(`init-${init}.sh`, import.meta.url), "utf8");
}

/** Another process may have built the same meanwhile; then its result is as good as ours. */
async function publish(draft: string, target: string): Promise<void> {
  try {
    await rename(draft, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
  }
}

async function readSuite(): Promise<string> {
  const release = await readFile("/etc/os-release", "utf8");
  const codename = /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1];
  if (codename === undefined) throw new Error("/etc/os-release names no Debian release");
  return codename;
}
