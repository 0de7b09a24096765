import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseConfig } from "../../../agent/src/config/config.ts";
import { type RunResult, run } from "../systemd/process.ts";
import { tempDirectory } from "../tempDirectory.ts";

/** An agent that the real installer put below a directory of its own. */
export interface InstalledAgent extends AsyncDisposable {
  readonly prefix: string;
  /** Where installers keep their temporary files. */
  readonly temporary: string;
  readonly configFile: string;
  /** Runs a line as somebody who pastes it into a shell: it is in no argument. */
  paste(line: string): Promise<RunResult>;
  /** The secret that stands in `rport.conf` now. */
  secret(): Promise<string>;
  /** The process id of the agent that runs. */
  pid(): Promise<number>;
  /** Stops it, or starts it again, as the start and the end of the computer would. */
  background(verb: "start" | "stop"): Promise<RunResult>;
  uninstall(): Promise<RunResult>;
}

/** A place to install into. What runs there is ended, and everything removed, with its scope. */
export async function installedAgent(): Promise<InstalledAgent> {
  await using opened = new AsyncDisposableStack();
  const { path: prefix } = opened.use(await tempDirectory());
  const { path: temporary } = opened.use(await tempDirectory());
  const configFile = join(prefix, "rport.conf");
  const env = {
    // The bundle runs on the Node of this test; the installer finds it by its name.
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    HOME: process.env.HOME ?? "/",
    TMPDIR: temporary,
  };
  const program = join(prefix, "bin/rport-agent");
  const pid = async () => Number(await readFile(join(prefix, "rport-agent.pid"), "utf8"));
  opened.defer(async () => {
    const running = await pid().catch(() => undefined);
    if (running !== undefined) process.kill(running, "SIGKILL");
  });
  const closing = opened.move();
  return {
    prefix,
    temporary,
    configFile,
    pid,
    paste: (line) => run("sh", [], { input: line, env }),
    secret: async () =>
      parseConfig(await readFile(configFile, "utf8"), configFile).credential.secret,
    background: (verb) => run(program, ["background", verb, "--prefix", prefix], { env }),
    uninstall: () => run(program, ["uninstall", "--prefix", prefix], { env }),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
