import { hostname, userInfo } from "node:os";
import { ALL_FEATURES, REQUESTS } from "@rport/protocol/agent";
import { heldTerminalSchema, heldTerminalsSchema } from "@rport/protocol/terminal/terminal";
import { beforeAll, describe, expect, it } from "vitest";
import { BUILT_AGENTS, builtAgent } from "../../../support/agents/builtAgent.ts";
import { HostViewer } from "../../../support/agents/hostViewer.ts";
import { shellScript, startTerminalHost } from "../../../support/agents/terminalHost.ts";
import { eventually } from "../../../support/eventually.ts";

/** Programs are started, and wait for a busy machine. */
const PATIENT = { timeout: 120_000 };

beforeAll(async () => void (await builtAgent()), 600_000);

describe.each(BUILT_AGENTS)("a shell on the host of an agent $name", ({ program }) => {
  it("answers what is typed, has the size it is given, and tells its code", PATIENT, async () => {
    await using host = await startTerminalHost(program);
    const { username, homedir } = userInfo();
    expect(host.session.registration).toMatchObject({
      Features: [...ALL_FEATURES],
      Terminal: { state: "on", accounts: [username], max: 16 },
    });
    const viewer = await HostViewer.open(host.session, { size: { cols: 91, rows: 31 } });
    expect(viewer.attached).toMatchObject({ account: username, shell: "/bin/sh", outputFrom: 0 });
    await viewer.type("stty size; uname -n; echo $HOME-$LOGNAME-$TERM; umask\r");
    await viewer.untilText("31 91");
    await viewer.untilText(hostname());
    await viewer.untilText(`${homedir}-${username}-xterm-256color`);
    await viewer.untilText("0022");
    viewer.send({ kind: "resize", cols: 100, rows: 40 });
    await viewer.type("stty size\r");
    await viewer.untilText("40 100");
    await viewer.type("exit 3\r");
    expect(await viewer.untilEnded()).toEqual({ how: "exit", code: 3 });
    await viewer.until("the channel to close", () => viewer.isClosed);
  });

  it(
    "begins where it is told to, and has nothing of the agent's environment",
    PATIENT,
    async () => {
      const env = { ...process.env, RPORT_AUTH: "id:very-secret", LD_LIBRARY_PATH: "" };
      await using host = await startTerminalHost({ ...program, env });
      const LANG = "de_DE.UTF-8";
      const wish = { kind: "new", cwd: "/usr/lib", env: { TERM: "vt100", LANG } };
      const viewer = await HostViewer.open(host.session, { wish });
      await viewer.type("pwd; env; echo done-$((40 + 2))\r");
      await viewer.untilText("done-42");
      expect(viewer.text).toContain("/usr/lib\r\n");
      expect(viewer.text).not.toContain("very-secret");
      const names = [...viewer.text.matchAll(/^(?:# )?([A-Z_]+)=/gm)].map(([, name]) => name);
      const own = ["HOME", "LANG", "LOGNAME", "PATH", "PWD", "SHELL", "TERM", "USER"];
      expect(names.filter((name) => name !== "OLDPWD").sort()).toEqual(own);
      const lost = { kind: "new", cwd: "/not/there" };
      const other = await HostViewer.open(host.session, { wish: lost });
      await other.untilText("/not/there cannot be entered");
      await other.type("pwd\r");
      await other.untilText(`${userInfo().homedir}\r\n`);
    },
  );

  it(
    "tells the signal that ended it, and passes signals to what is in front",
    PATIENT,
    async () => {
      await using host = await startTerminalHost(program);
      const viewer = await HostViewer.open(host.session);
      const front = "sh -c 'echo front-$((1 + 1)); exec sleep 1000'";
      await viewer.type(`${front}; echo status-$?\r`);
      await viewer.untilText("front-2");
      viewer.send({ kind: "signal", signal: "TERM" });
      await viewer.untilText("status-143");
      await viewer.type("kill -TERM $$; kill -KILL $$\r");
      expect(await viewer.untilEnded()).toEqual({ how: "signal", signal: "SIGKILL" });
    },
  );

  it("has nothing open of the agent's, nor of other terminals", PATIENT, async () => {
    await using host = await startTerminalHost(program);
    const others = [await HostViewer.open(host.session), await HostViewer.open(host.session)];
    expect(others).toHaveLength(2);
    const viewer = await HostViewer.open(host.session);
    await viewer.type("readlink /proc/$$/fd/*; echo done-$((40 + 2))\r");
    await viewer.untilText("done-42");
    expect(viewer.text).toContain("/dev/pts/");
    expect(viewer.text).not.toMatch(/ptmx|socket:|eventpoll/);
  });

  it("ends without the daemon that its program leaves behind", PATIENT, async () => {
    await using script = await shellScript(
      'trap "" HUP\nsetsid sh -c "echo pid-\\$\\$-; exec sleep 1000" &\nread -r line',
    );
    await using host = await startTerminalHost(program, { shell: script.path });
    const viewer = await HostViewer.open(host.session);
    await viewer.until("the daemon", () => /pid-\d+-/.test(viewer.text));
    const [, daemon = ""] = /pid-(\d+)-/.exec(viewer.text) ?? [];
    await viewer.type("\r");
    expect(await viewer.untilEnded()).toEqual({ how: "exit", code: 0 });
    process.kill(Number(daemon), "SIGKILL");
  });

  it("is listed and ended by the server, which is told how each ended, once", PATIENT, async () => {
    await using host = await startTerminalHost(program);
    const one = await HostViewer.open(host.session);
    const { id } = one.opening;
    const list = async () => {
      const { text } = await host.session.ask(REQUESTS.listTerminals, {});
      return heldTerminalsSchema.parse(JSON.parse(text)).terminals;
    };
    expect(await list()).toMatchObject([{ id, owner: "account-1", ownerName: "anna" }]);
    const how = "forbidden";
    expect(await host.session.ask(REQUESTS.endTerminal, { id, how })).toMatchObject({ ok: true });
    expect(await one.untilEnded()).toMatchObject({ how });
    await eventually(() => expect(host.asked).toHaveLength(1), 20_000);
    const [told] = host.asked;
    expect(told?.name).toBe(REQUESTS.terminalEnded);
    expect(heldTerminalSchema.parse(told?.body)).toMatchObject({ id, ended: { end: { how } } });
    // What is answered later than this, the agent answers knowing that its end was taken.
    await host.session.ask(REQUESTS.ping);
    expect(await list()).toEqual([]);
    expect(await host.session.ask(REQUESTS.endTerminal, { id, how })).toMatchObject({ ok: true });
    expect(host.agent.log()).toMatch(/a terminal was opened.*anna/);
    expect(host.agent.log()).toMatch(/a terminal has ended.*anna.*forbidden/);
  });

  it(
    "is hung up when the agent is told to stop, and the server hears it before",
    PATIENT,
    async () => {
      await using host = await startTerminalHost(program);
      const viewer = await HostViewer.open(host.session);
      await viewer.type("trap '' HUP; echo pid-$$-\r");
      await viewer.until("the process", () => /pid-\d+-/.test(viewer.text));
      const [, pid = ""] = /pid-(\d+)-/.exec(viewer.text) ?? [];
      host.agent.signal("SIGTERM");
      expect(await viewer.untilEnded()).toMatchObject({ how: "stopped" });
      expect(await host.agent.ended).toBe(0);
      expect(host.asked).toMatchObject([{ body: { ended: { end: { how: "stopped" } } } }]);
      expect(() => process.kill(Number(pid), 0)).toThrow(/ESRCH/);
    },
  );
});
