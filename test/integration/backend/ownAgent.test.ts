import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { clientIdSchema, secretIdSchema } from "@rport/protocol/ids";
import { expect, it } from "vitest";
import { createDial } from "../../../backend/src/tunnels/dialer.ts";
import { startAgent } from "../../support/agents/agent.ts";
import { startAgentSide } from "../../support/agents/agentSide.ts";
import { eventually } from "../../support/eventually.ts";
import { tcpServer } from "../../support/wire/wireTunnel.ts";

const ID = clientIdSchema.parse("own-agent");

it("our own agent registers with its features, and a half-closed tunnel keeps its answer", async () => {
  await using side = await startAgentSide();
  await using target = await tcpServer((socket) => {
    socket.resume().on("end", () => socket.end("the late answer"));
  });
  await using agent = await startAgent({ server: side.url, client: { id: ID } });
  await agent.online();
  expect(side.clients.get(ID)?.features).toEqual([
    "rotate-secret",
    "half-close",
    "host-key",
    "held-join",
    "long-requests",
    "listening-ports",
  ]);
  const tunnel = await side.tunnels.create(ID, { remote: String(target.port) }, { owner: "ann" });
  const socket = connect({ port: Number(tunnel.lport), host: "127.0.0.1", allowHalfOpen: true });
  await once(socket, "connect");
  socket.end("the question");
  expect(await text(socket)).toBe("the late answer");
});

it("what our own agent does not allow is refused before and at the connection", async () => {
  await using side = await startAgentSide();
  const client = { id: ID, tunnel_allowed: [":9"] };
  await using agent = await startAgent({ server: side.url, client });
  await agent.online();
  const creating = side.tunnels.create(ID, { remote: "22" }, { owner: "ann" });
  await expect(creating).rejects.toMatchObject({ code: "TARGET_NOT_ALLOWED" });
  const dial = createDial((id) => side.presence.connected(id), side.dial);
  const dialing = dial(ID, { host: "127.0.0.1", port: 22 });
  await expect(dialing).rejects.toMatchObject({ code: "TARGET_NOT_ALLOWED" });
});

it("our own agent says that nothing listens on a target", async () => {
  await using side = await startAgentSide();
  await using agent = await startAgent({ server: side.url, client: { id: ID } });
  await agent.online();
  await expect(side.tunnels.create(ID, { remote: "1" }, { owner: "ann" })).rejects.toMatchObject({
    code: "ERR_CODE_REMOTE_PORT_NOT_OPEN",
  });
});

it("our own agent stores the secret it is handed, and says so", async () => {
  await using side = await startAgentSide();
  await using agent = await startAgent({ server: side.url, client: { id: ID } });
  await agent.online();
  const session = side.presence.connected(ID);
  const next = { secretId: secretIdSchema.parse("secret-2"), secret: "n".repeat(43) };
  expect(await session?.offerSecret(next)).toBe(true);
});

it("our own agent comes back after it was cut, with its tunnels", async () => {
  await using side = await startAgentSide();
  const connection = { max_retry_interval: "1s" };
  await using agent = await startAgent({ server: side.url, client: { id: ID }, connection });
  await agent.online();
  await side.tunnels.create(ID, { remote: "22", check_port: "0" }, { owner: "ann" });
  const before = side.presence.connected(ID);
  before?.cut("for the test");
  await eventually(() => expect(side.presence.connected(ID) ?? before).not.toBe(before), 20_000);
  await eventually(() => expect(side.tunnels.tunnelsOf(ID)).toMatchObject([{ id: "1" }]));
});
