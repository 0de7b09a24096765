import { mkdir, readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { readState, stateFileIn } from "../../../agent/src/state/stateFile.ts";
import { runCli, startAgent } from "../../support/agents/agent.ts";
import { tcpServer } from "../../support/wire/wireTunnel.ts";

/** A title of the window, and what the clipboard is to hold: what is pasted next. */
const ESCAPES = "\u001B]0;OWNED\u0007\u001B]52;c;cm0gLXJmIC8K\u0007";
// biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is what is looked at
const OBEYED = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/;
/** A process starts slowly on a busy machine. */
const PATIENT = { timeout: 30_000 };

/** What somebody reads who asks from a shell why an agent is not connected. */
async function asked({ configFile }: { readonly configFile: string }): Promise<string> {
  const { stderr } = await runCli(["wait-online", "-c", configFile, "--timeout", "0"]);
  return stderr;
}

describe("S-45: the terminal of whoever asks how an agent is", () => {
  it("obeys no proxy, nor who answers in its place", PATIENT, async () => {
    await using proxy = await tcpServer((socket) => {
      socket.once("data", () => socket.end(`HTTP/1.1 403 ${ESCAPES} no\r\n\r\n`));
    });
    const client = { proxy: `http://127.0.0.1:${proxy.port}` };
    await using agent = await startAgent({ server: "ws://192.0.2.77:80", client });
    const state = await agent.until(({ kind }) => kind === "waiting");
    const text = expect.stringMatching(/^the proxy answered 403 +\]0;OWNED/);
    expect(state).toMatchObject({ reason: { text } });
    const written = () => readFile(stateFileIn(agent.dataDir), "utf8");
    await expect.poll(written).toContain("the proxy answered 403");
    expect(JSON.parse(await written()).last_message).not.toMatch(OBEYED);
    const told = await asked(agent);
    expect(told).toContain("OWNED");
    expect(told).not.toMatch(OBEYED);
  });

  it("obeys nobody who has the agent's account, and reads of them one line", PATIENT, async () => {
    await using agent = await startAgent({ server: "ws://127.0.0.1:1" });
    await agent.until(({ kind }) => kind === "waiting");
    await agent.agent.stop();
    await mkdir(agent.dataDir, { recursive: true });
    const file = stateFileIn(agent.dataDir);
    const state = {
      last_update: "x",
      last_update_ts: Math.floor(Date.now() / 1_000),
      last_state: "reconnecting",
      last_message: `${ESCAPES}\u009D0;x\u009Chello\nfake line: all good`,
      pid: process.pid,
    };
    await writeFile(file, JSON.stringify(state));
    expect((await readState(file))?.last_message).not.toMatch(/\n|\u009D/);
    const told = await asked(agent);
    expect(told).not.toMatch(OBEYED);
    expect(told.trimEnd().split("\n")).toHaveLength(1);
    expect(told).toContain("hello fake line");
  });
});
