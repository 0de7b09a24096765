// The programs that tests call and npm cannot provide; installed where apt and root are at hand.
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { run } from "./command.mjs";
import { systemPath } from "./paths.mjs";

/** Debian package, and a program or file of it whose presence says that it is installed. */
const packages = [
  { name: "chromium", program: "chromium" },
  { name: "g++", program: "g++" },
  { name: "make", program: "make" },
  { name: "python3", program: "python3" },
  { name: "shellcheck", program: "shellcheck" },
  { name: "dash", program: "dash" },
  { name: "busybox", program: "busybox" },
  { name: "mksh", program: "mksh" },
  { name: "yash", program: "yash" },
  { name: "posh", program: "posh" },
  { name: "zsh", program: "zsh" },
  { name: "fish", program: "fish" },
  { name: "perl", program: "shasum" },
  { name: "util-linux", program: "flock" },
  { name: "curl", program: "curl" },
  { name: "wget", program: "wget" },
  { name: "jq", program: "jq" },
  { name: "zstd", program: "zstd" },
  { name: "xz-utils", program: "xz" },
  { name: "openssl", program: "openssl" },
  { name: "openssh-client", program: "ssh" },
  { name: "openssh-server", program: "sshd" },
  { name: "rsync", program: "rsync" },
  { name: "git", program: "git" },
  { name: "ansible-core", program: "ansible" },
  { name: "iproute2", program: "ip" },
  { name: "nftables", program: "nft" },
  { name: "e2fsprogs", program: "mkfs.ext4" },
  { name: "procps", program: "pgrep" },
  { name: "nginx-light", program: "nginx" },
  { name: "caddy", program: "caddy" },
  { name: "debootstrap", program: "debootstrap" },
  { name: "libxml2-utils", program: "xmllint" },
  { name: "wine64", program: "wine64" },
  { name: "qemu-user-static", program: "qemu-aarch64-static" },
  { name: "libc6-arm64-cross", file: "/usr/aarch64-linux-gnu" },
  { name: "musl", file: "/lib/ld-musl-x86_64.so.1" },
];

/** Chromium draws boxes without any font; it only recommends one. */
const fonts = "fonts-liberation";

/** Debian's Wine is in no directory of PATH. */
const searched = [systemPath, "/usr/sbin", "/sbin", "/usr/lib/wine"]
  .join(delimiter)
  .split(delimiter);

/** Whether a program of this name can be started. */
export function hasProgram(name) {
  return searched.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const isInstalled = ({ program, file }) => (program ? hasProgram(program) : existsSync(file));
const missing = () => packages.filter((one) => !isInstalled(one));

function cannotInstall() {
  if (!hasProgram("apt-get")) return "there is no apt-get";
  return process.getuid?.() === 0 ? undefined : "only root may run apt-get";
}

async function aptGet(...args) {
  const { code, output } = await run("apt-get", args, {
    quiet: true,
    env: { DEBIAN_FRONTEND: "noninteractive" },
  });
  return code === 0 ? undefined : `apt-get ${args[0]} failed:\n${output}`;
}

/**
 * Installs what is missing, if this machine allows it.
 *
 * @returns {Promise<{ missing: string[], reason?: string }>} programs that are still missing, and
 *   why
 */
export async function ensureDebianPackages() {
  const wanted = missing().map(({ name }) => name);
  if (wanted.length === 0) return { missing: [] };
  const withFonts = wanted.includes("chromium") ? [...wanted, fonts] : wanted;
  const reason =
    cannotInstall() ??
    (await aptGet("update", "-qq")) ??
    (await aptGet("install", "-y", "-qq", "--no-install-recommends", ...withFonts));
  const left = missing().map(({ program, file }) => program ?? file);
  return left.length === 0 ? { missing: [] } : { missing: left, reason: reason ?? "unknown" };
}
