import { readFile, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { beforeAll, describe, expect, it } from "vitest";
import { systemLayout } from "../../../../agent/src/machine/posix/layouts.ts";
import { SHELL_WRAPPER } from "../../../../agent/src/machine/posix/wrapper.ts";
import { SYSTEM_CLOCK } from "../../../../agent/src/platform/clock.ts";
import { tellStatus } from "../../../../agent/src/service/status.ts";
import { BUILT_AGENTS, builtAgent } from "../../../support/agents/builtAgent.ts";
import { HostViewer } from "../../../support/agents/hostViewer.ts";
import { startTerminalHost, type TerminalHost } from "../../../support/agents/terminalHost.ts";
import { eventually } from "../../../support/eventually.ts";

const isRoot = process.getuid?.() === 0;
const PATIENT = { timeout: 60_000 };
const FORBIDDEN =
  /^not allowed; to allow them: \S+ install --server http\S+ --terminals ACCOUNT( --prefix \S+)?$/;

/** What `rport-agent status` says of the terminals of an agent, as if it was installed for the whole machine. */
async function terminalsOf({ agent }: TerminalHost): Promise<string | undefined> {
  const { configFile: config, dataDir } = agent;
  const layout = { ...systemLayout(), program: process.execPath, config, dataDir };
  const said: string[] = [];
  await tellStatus({
    place: { layout, self: { kind: "executable", file: process.execPath }, user: undefined },
    installing: {
      accounts: { whyNoTerminal: async () => undefined } as never,
      wrapper: SHELL_WRAPPER,
    },
    supervisors: [],
    clock: SYSTEM_CLOCK,
    say: (line) => void said.push(line),
  });
  return said.map((line) => /^terminals: +(.+)$/.exec(line)?.[1]).find((text) => text);
}

function becomes(host: TerminalHost, wanted: string | RegExp): Promise<void> {
  return eventually(async () => expect(await terminalsOf(host)).toMatch(wanted), 20_000);
}

beforeAll(async () => {
  await builtAgent();
}, 600_000);

describe.each(BUILT_AGENTS)("the status of an agent $name says of terminals", ({ program }) => {
  it("as whom they are, how many are open, and what a restart makes of that", PATIENT, async () => {
    await using host = await startTerminalHost(program);
    const allowed = `allowed as ${userInfo().username}`;
    await becomes(host, `${allowed}; 0 open`);
    const viewer = await HostViewer.open(host.session);
    const other = await HostViewer.open(host.session);
    await becomes(host, `${allowed}; 2 open`);
    for (const one of [viewer, other]) one.send({ kind: "close" });
    await becomes(host, `${allowed}; 0 open`);
    const { configFile } = host.agent;
    const text = await readFile(configFile, "utf8");
    await writeFile(configFile, text.replace("enabled = true", "enabled = false"));
    await becomes(host, `${allowed}, until the agent is started again; 0 open`);
    host.agent.signal("SIGKILL");
    await host.agent.ended;
    await becomes(host, FORBIDDEN);
  });

  it.skipIf(!isRoot)("that none of their accounts is there", PATIENT, async () => {
    await using host = await startTerminalHost(program, { accounts: ["nobody-of-this-name"] });
    await becomes(host, "allowed, as accounts of which none is on this host");
  });

  it("that nobody has allowed them, and how to, or that somebody has since", PATIENT, async () => {
    await using host = await startTerminalHost(program, { enabled: false });
    await becomes(host, FORBIDDEN);
    const { configFile } = host.agent;
    const text = await readFile(configFile, "utf8");
    await writeFile(configFile, text.replace("enabled = false", "enabled = true"));
    await becomes(host, "allowed, once the agent is started again");
    await writeFile(configFile, "no TOML");
    await becomes(host, /^not known: .+rport.conf cannot be read$/);
  });
});
