import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { eventually } from "./eventually.ts";
import { freePort } from "./freePort.ts";
import { tempDirectory } from "./tempDirectory.ts";

const run = promisify(execFile);
const PROGRAM = "/usr/sbin/sshd";
/** Debian's sshd refuses to start without it, where it is root. */
const PRIVILEGES = "/run/sshd";

/** A sshd of this machine, and who may sign in. */
export interface Sshd extends AsyncDisposable {
  /** On 127.0.0.1, and 127.0.0.2 for what is behind a host. */
  readonly port: number;
  readonly user: string;
  /** A private key that lets this account in. */
  readonly keyFile: string;
  /** The host's public key, as `known_hosts` has it. */
  readonly hostKey: string;
}

/** Starts OpenSSH's server with a key and a configuration of its own. */
export async function startSshd(): Promise<Sshd> {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await tempDirectory());
  const [hostKeyFile, keyFile] = [join(path, "host"), join(path, "key")];
  for (const file of [hostKeyFile, keyFile]) {
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file]);
  }
  await copyFile(`${keyFile}.pub`, join(path, "authorized"));
  const port = await freePort();
  const config = join(path, "sshd_config");
  await writeFile(
    config,
    [
      ...[`ListenAddress 127.0.0.1:${port}`, `ListenAddress 127.0.0.2:${port}`],
      ...[`HostKey ${hostKeyFile}`, `AuthorizedKeysFile ${join(path, "authorized")}`],
      ...["UsePAM no", "StrictModes no", "PidFile none", "PermitRootLogin yes"],
      // many come at once, and it would turn some away by chance
      ...["Subsystem sftp internal-sftp", "MaxStartups 100", ""],
    ].join("\n"),
  );
  if (process.getuid?.() === 0) await mkdir(PRIVILEGES, { recursive: true });
  const child = spawn(PROGRAM, ["-D", "-e", "-f", config], { stdio: "ignore" });
  stack.defer(async () => {
    if (child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.kill();
    await ended;
  });
  await eventually(() => answers(port));
  const [kind, key] = (await readFile(`${hostKeyFile}.pub`, "utf8")).split(" ");
  const owned = stack.move();
  return {
    port,
    user: userInfo().username,
    keyFile,
    hostKey: `${kind} ${key?.trim()}`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function answers(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "data");
  } finally {
    socket.destroy();
  }
}
