import { appendFile, chown, open, readFile, stat, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { parseConfig } from "../../../../agent/src/config/config.ts";
import { hostKeyFileIn } from "../../../../agent/src/host/hostKey.ts";
import { CONFIG, installScene, SERVER } from "../../../support/installer/installScene.ts";

const ROOT = { name: "root", owner: { uid: 0, gid: 0 }, isOurs: false };
/** The number of the account that ran the agent before. */
const BEFORE = 54_321;
const AS_ROOT = { kind: "allowed", account: "root", isNew: true } as const;
/** What would have root start a program, write a file, or obey another server. */
const PLANTED = `proxy = "http://127.0.0.1:9"
fallback_servers = ["http://127.0.0.2:9"]
data_dir = "/etc"
attributes_file_path = "/root/secret.json"
name = "web"
tunnel_allowed = ["127.0.0.1:22"]
[connection]
headers = ["Host: elsewhere"]
keep_alive = "40s"
[logging]
log_file = "/etc/cron.d/rport"
log_level = "debug"
[terminal]
enabled = true
accounts = ["root", "anna"]
shell = "/opt/shell"
idle_timeout = "1h"
`;

/** An agent of another account, and an installation that makes it root's. */
async function agentOfAnother(config = CONFIG) {
  const scene = await installScene();
  await scene.run();
  const { layout, installing } = scene;
  const key = hostKeyFileIn(layout.dataDir);
  await writeFile(key, "the key");
  await writeFile(layout.config, config);
  for (const file of [layout.config, key]) await chown(file, BEFORE, BEFORE);
  scene.supervisor.notes.length = 0;
  const place = {
    layout,
    self: { kind: "executable", file: scene.program } as const,
    user: "root",
    allowsTerminals: true,
  };
  const accounts = { ...installing.accounts, find: async () => ROOT };
  const changes = { place, installing: { ...installing, accounts }, enroll: undefined };
  const move = (terminals: typeof AS_ROOT | { readonly kind: "unsaid" } = AS_ROOT) =>
    scene.run({ terminals }, changes);
  return { ...scene, key, changes, move };
}

describe.skipIf(process.getuid?.() !== 0)("an agent that gets another account", () => {
  test("keeps its enrolment, and nothing by which the old one would act as the new one", async () => {
    await using it = await agentOfAnother(CONFIG + PLANTED);
    await it.move();
    const { layout, said } = it;
    const moved = parseConfig(await readFile(layout.config, "utf8"), layout.config);
    const before = parseConfig(CONFIG + PLANTED, layout.config);
    const { servers, terminal, ...rest } = moved;
    expect(servers).toEqual([before.servers[0]]);
    const { shell, accounts, idleMs } = terminal;
    expect({ shell, accounts, idleMs }).toEqual({
      shell: "",
      accounts: ["root"],
      idleMs: 3_600_000,
    });
    const { credential, fingerprint, name, tunnelAllowed, keepAliveMs, logLevel } = before;
    const kept = { credential, fingerprint, name, tunnelAllowed, keepAliveMs, logLevel };
    const lost = { proxy: "", attributesFile: "", headers: [], logFile: "" };
    expect(rest).toMatchObject({ ...kept, ...lost, dataDir: layout.dataDir });
    expect(said.find((line) => line.includes("Left out"))).toBe(
      `Another account wrote ${layout.config}. Left out of it: client.attributes_file_path, client.data_dir, client.fallback_servers, client.proxy, connection.headers, logging.log_file, terminal.accounts, terminal.enabled, terminal.shell.`,
    );
  });

  test.each([
    ["a name in two spellings", '[terminal]\naccounts = ["anna"]\nAccounts = ["ben"]\n'],
    ["what is no TOML", "[terminal\n"],
  ])("is not moved with a file that has %s, and that it would mend", async (_what, damage) => {
    const config = `${CONFIG}fallback_servers = ["http://127.0.0.2:9"]\n${damage}`;
    await using it = await agentOfAnother(config);
    const enroll = async () => expect.unreachable("a token was spent");
    const moving = it.run({ terminals: AS_ROOT, isForced: true }, { ...it.changes, enroll });
    await expect(moving).rejects.toThrow("Move it away, and enrol this host anew.");
    expect(await readFile(it.layout.config, "utf8")).toBe(config);
    expect((await stat(it.layout.config)).uid).toBe(BEFORE);
    expect(it.supervisor.notes).not.toContain("stop");
  });

  test("obeys the server that was asked for, whichever the old one named first", async () => {
    const first = CONFIG.replace(SERVER, "http://127.0.0.2:9");
    await using it = await agentOfAnother(`${first}fallback_servers = ["${SERVER}"]\n`);
    await it.move();
    const { layout } = it;
    const { servers } = parseConfig(await readFile(layout.config, "utf8"), layout.config);
    expect(servers).toEqual(parseConfig(CONFIG, layout.config).servers);
  });

  test("keeps its remarks where lines are all that is taken out", async () => {
    const kept = `# a remark\n${CONFIG}fallback_servers = []\n`;
    await using it = await agentOfAnother(`${kept}[logging]\nlog_file = "/etc/cron.d/rport"\n`);
    await it.move({ kind: "unsaid" });
    const { config, dataDir } = it.layout;
    const own = CONFIG.replace("[client]\n", `[client]\ndata_dir = "${dataDir}"\n`);
    expect(await readFile(config, "utf8")).toBe(
      `# a remark\n${own}fallback_servers = []\n[logging]\n`,
    );
  });

  test("keeps no key that this release does not know", async () => {
    await using it = await agentOfAnother(`${CONFIG}later = "/opt/x"\n[later]\nshell = "/opt/x"\n`);
    await it.move();
    expect(await readFile(it.layout.config, "utf8")).not.toContain("/opt/x");
  });

  test("keeps no more of it when it enrols again", async () => {
    await using it = await agentOfAnother(CONFIG + PLANTED);
    let seen = "";
    const enroll = async (file: string) => {
      seen = await readFile(file, "utf8");
      await writeFile(file, CONFIG);
      return { authId: "web", clientId: "host-1", report: async () => undefined };
    };
    await it.run({ terminals: AS_ROOT, isForced: true }, { ...it.changes, enroll });
    expect(seen).toContain('name = "web"');
    expect(seen).not.toMatch(/shell|log_file|headers|proxy|cron/);
    expect(it.said.join("\n")).toContain("terminal.shell");
  });

  test("has files of its own, whoever has the old ones open", async () => {
    await using it = await agentOfAnother();
    const files = [it.layout.config, it.key];
    for (const file of files) {
      for (const one of files) await chown(one, BEFORE, BEFORE);
      await using old = await open(file, "a");
      await it.move({ kind: "unsaid" });
      await appendFile(old, "\n# planted");
      expect(await readFile(file, "utf8")).not.toContain("planted");
      expect((await stat(file)).uid).toBe(0);
    }
    expect(await readFile(it.key, "utf8")).toBe("the key");
  });

  test("is started anew also where its old account wrote what was asked for", async () => {
    await using it = await agentOfAnother(
      `${CONFIG}\n[terminal]\nenabled = true\naccounts = ["root"]\n`,
    );
    await it.move();
    expect(it.supervisor.notes).toContain("start");
    expect((await stat(it.layout.config)).uid).toBe(0);
    it.supervisor.notes.length = 0;
    await it.move();
    expect(it.supervisor.notes).toEqual([]);
  });

  test("has what it was when it does not connect", async () => {
    await using it = await agentOfAnother(CONFIG + PLANTED);
    it.supervisor.connects = false;
    await expect(it.move()).rejects.toThrow("did not connect");
    expect(await readFile(it.layout.config, "utf8")).toBe(CONFIG + PLANTED);
    expect((await stat(it.layout.config)).uid).toBe(BEFORE);
    expect((await stat(it.key)).uid).toBe(BEFORE);
  });
});
