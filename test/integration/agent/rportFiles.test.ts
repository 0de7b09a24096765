import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FEATURES, REQUESTS } from "@rport/protocol/agent";
import { sha256Fingerprint } from "@rport/protocol/wire/serverKey";
import { describe, expect, it } from "vitest";
import { respawnAgent, runCli } from "../../support/agents/agent.ts";
import { startAgentServer } from "../../support/agents/agentServer.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";
import { PASSWORD, SERVER_KEY, USER } from "../../support/wire/wirePair.ts";

const FINGERPRINT = sha256Fingerprint(SERVER_KEY.getPublicSSH());
const ROTATE = { auth_id: USER, secret_id: "secret-0001", secret: "the-next-secret-of-this-host" };

/** The agent as a process, with the text of a configuration and what else its environment has. */
async function started(text: string, environment: Readonly<Record<string, string>> = {}) {
  const directory = await tempDirectory();
  const configFile = join(directory.path, "rport.conf");
  await writeFile(configFile, text);
  const dataDir = directory.path;
  const files = {
    configFile,
    dataDir,
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
  const command = ["run", "-c", configFile];
  const env = { ...process.env, ...environment };
  return {
    configFile,
    files,
    spawn: () => respawnAgent(files, { command: [process.execPath, MAIN], env }),
    run: () => runCli(command, "", { command: [process.execPath, MAIN], env }),
    [Symbol.asyncDispose]: files[Symbol.asyncDispose],
  };
}

const MAIN = new URL("../../../agent/src/main.ts", import.meta.url).pathname;

describe("C-04: an agent that was moved over from RPort's client", () => {
  it("runs with RPort's loose forms and environment, and writes a new secret to its file", async () => {
    const features = [FEATURES.rotateSecret];
    await using server = await startAgentServer({ features });
    const text = `[Client]\nServer = "${server.url}"\nid = 4711\ntags = "edge,station4"\n\n[Connection]\nkeepalive = "30s"\n`;
    await using at = await started(`${text}[Inventory]\nx = 1\n`, {
      RPORT_AUTH: `${USER}:${PASSWORD}`,
      RPORT_FINGERPRINT: FINGERPRINT,
    });
    await using agent = at.spawn();
    const session = await server.next();
    await expect.poll(() => agent.log()).toContain('"connected"');
    const answer = await session.ask(REQUESTS.rotateSecret, ROTATE);
    expect(answer).toEqual({ ok: true, text: expect.stringContaining("secret-0001") });
    const written = await readFile(at.configFile, "utf8");
    expect(written).toBe(
      `${text.replace("[Client]\n", `[Client]\nauth = "${USER}:${ROTATE.secret}"\n`)}[Inventory]\nx = 1\n`,
    );
    const lines = agent
      .log()
      .split("\n")
      .filter((line) => line.includes("not known"));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("connection.keepalive (did you mean keep_alive?)");
    expect(lines[0]).toContain("inventory");
    expect(agent.log()).not.toContain(PASSWORD);
  });

  it("S-26: does not start with rules that nobody would read, and ends with status 2", async () => {
    const whole = `[client]\nserver = "h"\nfingerprint = "${FINGERPRINT}"\nauth = "a:b"\n`;
    await using at = await started(`${whole}tunel_allowed = ["127.0.0.1:22"]\n`);
    const { code, stderr } = await at.run();
    expect(code).toBe(2);
    expect(stderr).toContain("client.tunel_allowed would have no effect");
  });
});

describe("what no retry can mend", () => {
  const whole = `[client]\nserver = "http://rport.example.org"\nfingerprint = "${FINGERPRINT}"\nauth = "a:b"\nid = "x"\n`;

  it("stops the start: a proxy of the environment that is none, by its variable's name", async () => {
    await using at = await started(whole, { http_proxy: "http://u:100%pure@p:3128", no_proxy: "" });
    const { code, stderr } = await at.run();
    expect(code).toBe(2);
    expect(stderr).toContain("http_proxy: the proxy it names has a % in its login");
    expect(stderr).not.toContain("pure");
  });

  it("stops the start: client.proxy, by its key", async () => {
    await using at = await started(`${whole}proxy = 'http://CORP\\jdoe:secret@p:3128'\n`);
    const { code, stderr } = await at.run();
    expect(code).toBe(2);
    expect(stderr).toContain("client.proxy has a \\ in its login, which has to be written %5C");
    expect(stderr).not.toContain("secret@");
  });
});
