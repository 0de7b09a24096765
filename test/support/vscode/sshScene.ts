import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { startAgent, type TestAgent } from "../agents/agent.ts";
import { startBackend } from "../backend/backend.ts";
import { eventually } from "../eventually.ts";
import { ROOT } from "../repository.ts";
import { startSshd } from "../sshd.ts";
import { tempDirectory } from "../tempDirectory.ts";
import { openRport } from "./rport.ts";

const run = promisify(execFile);

/** For what windows, a server and an agent need together on a busy machine. */
export const SLOW_MS = 60_000;
/** The program as the extension and the npm package have it. */
export const BRIDGE = join(ROOT, "extension/dist/bridge/bridge.cjs");
const MOST_OUTPUT_BYTES = 16 * 1024 * 1024;

/** What a program came to. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What is behind all hosts, as each of them sees it: an address at which the same sshd answers. */
export const BEHIND = "127.0.0.2";

/** A window that programs reach hosts through, which `ssh` is told of, a server, and a sshd that all hosts have. */
export async function openSshScene() {
  await using stack = new AsyncDisposableStack();
  const sshd = stack.use(await startSshd());
  const backend = stack.use(await startBackend());
  const { path: folder } = stack.use(await tempDirectory());
  const config = join(folder, "config");
  const signingIn = [
    `  Port ${sshd.port}`,
    `  User ${sshd.user}`,
    `  IdentityFile ${sshd.keyFile}`,
    `  UserKnownHostsFile ${join(folder, "known_hosts")}`,
    "  StrictHostKeyChecking accept-new",
    "  LogLevel ERROR",
    "  BatchMode yes",
  ];
  const program = `${process.execPath} ${BRIDGE}`;
  const behind = [
    "Host behind",
    `  HostName ${BEHIND}`,
    `  ProxyCommand ${program} connect web-01 %h:%p`,
  ];
  await writeFile(
    config,
    [`Host *.rport ${BEHIND} behind`, ...signingIn, ...behind, ""].join("\n"),
  );
  const { password } = await backend.api("createCredential", { body: { id: "hosts" } });
  const hosts = stack.use(new AsyncDisposableStack());
  /** A host that comes, or is back; its own configuration may allow little. */
  const addHost = async (id: string, client: Readonly<Record<string, unknown>> = {}) => {
    const { fingerprint, url: server } = backend;
    const own = { fingerprint, auth: `hosts:${password}`, name: id, id, ...client };
    const agent: TestAgent = hosts.use(await startAgent({ server, client: own }));
    await agent.online();
    return agent;
  };
  const servers = [{ name: "Local Backend", url: "local" }];
  const settings = { "rport.servers": servers, "rport.ssh.configFile": config };
  const web = await addHost("web-01");
  const rport = stack.use(await openRport(backend.dataDir, { settings }));
  const { workbench } = rport;
  await rport.clients.row("web-01").waitFor({ timeout: SLOW_MS });
  await workbench.command("RPort: Set Up ssh for Hosts...");
  await workbench.answerDialog("Let ssh find your hosts", "Set Up");
  const env = {
    ...process.env,
    HOME: folder,
    XDG_DATA_HOME: dirname(rport.editor.server.folders.userData),
    GIT_SSH_COMMAND: `ssh -F ${config}`,
  };
  /** Runs a program to its end. */
  const execute = async (program: string, args: readonly string[]): Promise<Ended> => {
    const options = { env, cwd: folder, maxBuffer: MOST_OUTPUT_BYTES };
    try {
      return { code: 0, ...(await run(program, args, options)) };
    } catch (error) {
      return error as Ended;
    }
  };
  const ssh = (...args: readonly string[]) => execute("ssh", ["-F", config, ...args]);
  /** Waits until `ssh` is told of a host. */
  const told = async (name: string) => {
    await eventually(async () => {
      const { stdout } = await ssh("-G", name);
      if (!/^proxycommand \/bin\/sh .* connect /m.test(stdout)) throw new Error(stdout);
    }, SLOW_MS);
  };
  await told("web-01.rport");
  const owned = stack.move();
  return {
    sshd,
    backend,
    workbench,
    folder,
    config,
    env,
    web,
    execute,
    ssh,
    told,
    addHost,
    /** `rport` of npm, as somebody types it. */
    rport: (...args: readonly string[]) => execute(process.execPath, [BRIDGE, ...args]),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** See `openSshScene`. */
export type SshScene = Awaited<ReturnType<typeof openSshScene>>;
