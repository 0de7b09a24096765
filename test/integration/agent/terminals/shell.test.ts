import { hostname, userInfo } from "node:os";
import { ALL_FEATURES } from "@rport/protocol/agent";
import { beforeAll, describe, expect, it } from "vitest";
import { spawnAgent } from "../../../support/agents/agent.ts";
import { startAgentServer } from "../../../support/agents/agentServer.ts";
import { BUILT_AGENTS, builtAgent } from "../../../support/agents/builtAgent.ts";
import { HostViewer } from "../../../support/agents/hostViewer.ts";

/** The whole of the agents is built first, and they are started under load. */
const PATIENT = { timeout: 300_000 };
const SH = { enabled: true, shell: "/bin/sh" };

beforeAll(async () => void (await builtAgent()), 600_000);

describe.each(BUILT_AGENTS)("a shell on the host of an agent $name", ({ program }) => {
  const started = async (terminal: object = SH) => {
    const server = await startAgentServer({ features: ALL_FEATURES, onRequest: () => {} });
    const settings = { server: server.url, terminal: { ...terminal } };
    const agent = await spawnAgent(settings, program);
    const session = await server.next();
    return {
      agent,
      session,
      async [Symbol.asyncDispose]() {
        await agent[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  };

  it(
    "answers what is typed, has the size that it is given, and tells its exit code",
    PATIENT,
    async () => {
      await using host = await started();
      expect(host.session.registration).toMatchObject({
        Features: [...ALL_FEATURES],
        Terminal: { state: "on", accounts: [userInfo().username] },
      });
      const size = { cols: 91, rows: 31 };
      const viewer = await HostViewer.open(host.session, { size });
      expect(viewer.attached).toMatchObject({ account: userInfo().username, shell: "/bin/sh" });
      await viewer.type("stty size; uname -n; echo $HOME-$LOGNAME-$TERM; umask\r");
      await viewer.untilText("31 91");
      await viewer.untilText(hostname());
      await viewer.untilText(`${userInfo().homedir}-${userInfo().username}-xterm-256color`);
      await viewer.untilText("0022");
      viewer.send({ kind: "resize", cols: 100, rows: 40 });
      await viewer.type("stty size\r");
      await viewer.untilText("40 100");
      await viewer.type("exit 3\r");
      expect(await viewer.untilEnded()).toEqual({ how: "exit", code: 3 });
      await viewer.until("the channel to close", () => viewer.isClosed);
    },
  );
});
