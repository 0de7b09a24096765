import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { clientIdSchema } from "@rport/protocol/ids";
import { expect, it } from "vitest";
import { parseConfig } from "../../../agent/src/config/config.ts";
import { runCli, startEnrolledAgent } from "../../support/agents/agent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";
import { tcpServer } from "../../support/wire/wireTunnel.ts";

const AUTH_ID = "fleet";

async function enrolled(backend: RunningBackend, file: string, dataDir: string): Promise<string> {
  await backend.api("createCredential", { body: { id: AUTH_ID } });
  const body = { credential_id: AUTH_ID, name: "web-1", tags: ["ci"] };
  const { token } = await backend.api("createPairing", { body });
  const where = ["--server", backend.url, "--config", file, "--data-dir", dataDir];
  const result = await runCli(["enroll", ...where, "--token-stdin", "--new-id"], token);
  expect(result).toMatchObject({ code: 0, stderr: "" });
  const again = await runCli(["enroll", ...where, "--token-stdin", "--new-id"], token);
  expect(again.code).toBe(4);
  return clientIdSchema.parse(/client (\S+)$/.exec(result.stdout.trim())?.[1]);
}

const secretIn = async (file: string) =>
  parseConfig(await readFile(file, "utf8"), file).credential.secret;

it("a host is paired, carries a tunnel, gets a new secret, and is locked out when its credential goes", async () => {
  await using backend = await startBackend();
  await using directory = await tempDirectory();
  const file = join(directory.path, "rport.conf");
  const clientId = clientIdSchema.parse(await enrolled(backend, file, directory.path));
  await using echo = await tcpServer((socket) => socket.pipe(socket));
  await using agent = await startEnrolledAgent(file);
  await agent.online();
  const params = { clientId };
  const client = await backend.api("getClient", { params, query: {} });
  expect(client).toMatchObject({ id: clientId, name: "web-1", tags: ["ci"] });

  const remote = `127.0.0.1:${echo.port}`;
  const tunnel = await backend.api("createTunnel", { params, query: { remote } });
  const socket = connect(Number(tunnel.lport), "127.0.0.1");
  socket.write("ping");
  const [answer] = await once(socket, "data");
  expect(String(answer)).toBe("ping");
  socket.destroy();

  const first = await secretIn(file);
  const authId = { authId: AUTH_ID };
  const rotate = { params: authId, body: { grace_seconds: 0 } };
  await backend.api("rotateCredential", rotate);
  await expect.poll(() => secretIn(file)).not.toBe(first);
  agent.agent.reconnect();
  await agent.until(({ kind }) => kind !== "online");
  await agent.online();

  const query = { force: "true", report: "true" };
  await backend.api("deleteCredential", { params: authId, query });
  const state = await agent.until(({ kind }) => kind === "waiting");
  agent.agent.reconnect();
  await agent.until((next) => next.kind === "waiting" && next !== state);
  expect(agent.agent.state).toMatchObject({ reason: { kind: "login" } });
});
