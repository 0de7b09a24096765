import { mkdir, readFile, rename, rmdir } from "node:fs/promises";
import { FEATURES, REQUESTS } from "@rport/protocol/agent";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../agent/src/config/config.ts";
import { spawnAgent, startAgent } from "../../support/agents/agent.ts";
import { startAgentServer } from "../../support/agents/agentServer.ts";
import { PASSWORD, USER } from "../../support/wire/wirePair.ts";

const NEXT = "next-secret_-ABCDEFGHIJKLMNOPQRSTUVWXYZ01234";
const ROTATE = { auth_id: USER, secret_id: "secret-0001", secret: NEXT };

/** A server that knows a set of secrets, and how often each was used. */
function loginOf(secrets: Set<string>) {
  return { check: async (user: string, secret: string) => user === USER && secrets.has(secret) };
}

const secretIn = async (file: string) =>
  parseConfig(await readFile(file, "utf8"), file).credential.secret;

describe("rotating a secret", () => {
  it("S-32: has the new secret in the file before it answers, and uses it from then on", async () => {
    const secrets = new Set([PASSWORD]);
    const features = [FEATURES.rotateSecret];
    await using server = await startAgentServer({ login: loginOf(secrets), features });
    await using agent = await startAgent({ server: server.url });
    const session = await server.next();
    await agent.online();
    secrets.add(NEXT);
    const answer = await session.ask(REQUESTS.rotateSecret, ROTATE);
    expect(await secretIn(agent.configFile)).toBe(NEXT);
    expect(answer).toEqual({ ok: true, text: '{"secret_id":"secret-0001"}' });
    const again = await session.ask(REQUESTS.rotateSecret, ROTATE);
    expect(again.ok).toBe(true);
    secrets.delete(PASSWORD);
    session.connection.close("go away");
    await server.next();
    await agent.online();
    expect(agent.lines.join("")).not.toContain("next-secret");
  });

  it("S-32: an agent that is killed while it rotates can log in with what its file holds", async () => {
    const secrets = new Set([PASSWORD, NEXT]);
    const features = [FEATURES.rotateSecret];
    await using server = await startAgentServer({ login: loginOf(secrets), features });
    await using agent = await spawnAgent({ server: server.url });
    const session = await server.next();
    const asked = session.ask(REQUESTS.rotateSecret, ROTATE).catch(() => ({ ok: false }));
    agent.signal("SIGKILL");
    const { ok } = await asked;
    await agent.ended;
    const stored = await secretIn(agent.configFile);
    expect(secrets.has(stored)).toBe(true);
    if (ok) expect(stored).toBe(NEXT);
  });

  it("refuses another auth id, a server that did not agree, and text it cannot read", async () => {
    await using server = await startAgentServer({ features: [FEATURES.rotateSecret] });
    await using agent = await startAgent({ server: server.url });
    const session = await server.next();
    await agent.online();
    const other = await session.ask(REQUESTS.rotateSecret, { ...ROTATE, auth_id: "other" });
    expect(other).toEqual({ ok: false, text: "this agent uses another auth id" });
    const short = await session.ask(REQUESTS.rotateSecret, { ...ROTATE, secret: "short" });
    expect(short.ok).toBe(false);
    expect(await secretIn(agent.configFile)).toBe(PASSWORD);

    await using old = await startAgentServer();
    await using silent = await startAgent({ server: old.url });
    const plain = await old.next();
    const unknown = await plain.ask(REQUESTS.rotateSecret, ROTATE);
    expect(unknown).toEqual({ ok: false, text: "unknown request" });
    expect(await secretIn(silent.configFile)).toBe(PASSWORD);
  });

  it("S-48: is done ten times at once, and not for ever, whatever connection it comes on", async () => {
    const login = { check: async (user: string) => user === USER };
    await using server = await startAgentServer({ login, features: [FEATURES.rotateSecret] });
    await using agent = await startAgent({ server: server.url });
    const next = (n: number) => ({ ...ROTATE, secret: `${NEXT.slice(0, -3)}${n + 100}` });
    const session = await server.next();
    await agent.online();
    const first = [];
    for (let n = 0; n < 40; n += 1) first.push(await session.ask(REQUESTS.rotateSecret, next(n)));
    expect(first.filter(({ ok }) => ok).length).toBeGreaterThanOrEqual(10);
    expect(first.filter(({ ok }) => ok).length).toBeLessThan(20);
    expect(first.at(-1)?.text).toContain("too many new secrets");
    expect(await secretIn(agent.configFile)).toBe(
      next(first.filter(({ ok }) => ok).length - 1).secret,
    );
    session.connection.close("go away");
    const again = await server.next();
    await agent.online();
    const later = [];
    for (let n = 40; n < 60; n += 1) later.push(await again.ask(REQUESTS.rotateSecret, next(n)));
    expect(later.filter(({ ok }) => ok).length).toBeLessThan(5);
    expect((await again.ask(REQUESTS.ping)).ok).toBe(true);
    expect(agent.lines.join("")).toMatch(/hands out new secrets too fast.*"refused":\d+/);
  });

  it("says why it could not store a secret, keeps the old one, and stays connected", async () => {
    await using server = await startAgentServer({ features: [FEATURES.rotateSecret] });
    await using agent = await startAgent({ server: server.url });
    const session = await server.next();
    await agent.online();
    await using _blocked = await blockFile(agent.configFile);
    const answer = await session.ask(REQUESTS.rotateSecret, ROTATE);
    expect(answer.ok).toBe(false);
    expect(answer.text).toContain("the new secret could not be stored");
    expect(answer.text).not.toContain(NEXT);
    expect((await session.ask(REQUESTS.ping)).ok).toBe(true);
  });
});

/** Root may write everywhere, so the file is made a folder, which nobody can read as text. */
async function blockFile(file: string): Promise<AsyncDisposable> {
  await rename(file, `${file}.kept`);
  await mkdir(file);
  return {
    async [Symbol.asyncDispose]() {
      await rmdir(file);
      await rename(`${file}.kept`, file);
    },
  };
}
