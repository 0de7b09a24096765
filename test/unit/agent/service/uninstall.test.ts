import {
  chmod,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { USAGE } from "../../../../agent/src/cli/cli.ts";
import { EXIT } from "../../../../agent/src/cli/cliFailure.ts";
import { hostKeyFileIn } from "../../../../agent/src/host/hostKey.ts";
import { CONFIG, installScene } from "../../../support/installer/installScene.ts";

describe("uninstalling", () => {
  test("leaves the tree as it was, the directories above included", async () => {
    await using it = await installScene();
    await it.run();
    await it.remove();
    expect((await it.files()).filter((name) => name.startsWith("made"))).toEqual([]);
    expect(it.said.at(-1)).toBe("The agent is removed.");
    await it.remove();
    expect(it.said.at(-1)).toBe("There is no agent to remove.");
  });

  test("leaves the key in a folder that nobody else can use, whatever its account allowed", async () => {
    await using it = await installScene();
    await it.run();
    const { dataDir } = it.layout;
    await writeFile(hostKeyFileIn(dataDir), "the key");
    // In the place of a file of the agent's.
    await mkdir(join(dataDir, "state.json.previous"));
    await chmod(dataDir, 0o777);
    await it.remove(true);
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    expect((await readdir(dataDir)).sort()).toEqual(["host.key", "state.json.previous"]);
    expect(it.said.join("\n")).toContain("kept ");
  });

  test("leaves what is not its own", async () => {
    await using it = await installScene();
    await it.run();
    await writeFile(join(it.prefix, "precious"), "");
    await it.remove();
    expect(await readdir(it.prefix)).toEqual(["precious"]);
  });

  test("keeps the configuration when asked to, and can finish later", async () => {
    await using it = await installScene();
    await it.run();
    await it.remove(true);
    expect((await readdir(it.prefix)).sort()).toEqual(["install.json", "rport.conf"]);
    await it.remove();
    expect((await it.files()).filter((name) => name.startsWith("made"))).toEqual([]);
  });

  test("keeps the key of the host with the configuration, and nothing else of its state", async () => {
    await using it = await installScene();
    await it.run();
    const key = hostKeyFileIn(it.layout.dataDir);
    await writeFile(key, "the key");
    await it.remove(true);
    expect((await readdir(it.prefix)).sort()).toEqual(["install.json", "rport.conf", "state"]);
    expect(await readdir(it.layout.dataDir)).toEqual(["host.key"]);
    await it.run();
    expect(await readFile(key, "utf8")).toBe("the key");
    await it.remove();
    expect((await it.files()).filter((name) => name.startsWith("made"))).toEqual([]);
  });

  test("does all it can when a step fails, and tells which one failed", async () => {
    await using it = await installScene();
    await it.run();
    it.supervisor.remove = () => Promise.reject(new Error("it does not end"));
    await expect(it.remove()).rejects.toThrow(
      "Could not stop and remove the fake: it does not end",
    );
    expect((await it.files()).filter((name) => name.startsWith("made"))).toEqual([]);
  });
});

/** A directory of another program that happens to have our names in it. */
async function foreignDirectory(receipt: string) {
  const it = await installScene();
  const files: Record<string, string> = {
    "install.json": receipt,
    "rport.conf": "theirs",
    "rport-agent.log": "theirs",
    "bin/rport-agent": "theirs",
    "lib/agent.cjs": "theirs",
    "state/database": "theirs",
    "state/state.json": "theirs",
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(it.prefix, name)), { recursive: true });
    await writeFile(join(it.prefix, name), text);
  }
  return it;
}

const FOREIGN_RECEIPTS = [
  "",
  "{",
  "null",
  '{"name":"another","version":"2.0.0"}',
  '{"version":1,"directories":[]}',
  '{"version":2,"directories":[],"files":{}}',
  '{"program":"another","version":2,"directories":[],"files":{}}',
];

describe("a directory of somebody else", () => {
  test.each(FOREIGN_RECEIPTS)("S-34: with the receipt %j nothing is removed", async (receipt) => {
    await using it = await foreignDirectory(receipt);
    const before = await it.files();
    it.supervisor.isThere = true;
    await expect(it.remove()).rejects.toMatchObject({ exitCode: EXIT.usage });
    await expect(it.remove(true)).rejects.toMatchObject({ exitCode: EXIT.usage });
    expect(await it.files()).toEqual(before);
    expect(it.supervisor.notes).toEqual([]);
  });

  test("S-34: nothing is installed into it, and no token spent", async () => {
    await using it = await foreignDirectory('{"name":"another"}');
    await expect(it.run()).rejects.toMatchObject({ exitCode: EXIT.usage });
    expect(it.tokens.spent).toBe(0);
    expect(await readFile(it.layout.program, "utf8")).toBe("theirs");
  });

  test("S-34: a link in the place of the receipt is none of ours", async () => {
    await using it = await installScene();
    await it.run();
    const aside = join(it.directory.path, "elsewhere.json");
    await rename(join(it.prefix, "install.json"), aside);
    await symlink(aside, join(it.prefix, "install.json"));
    await expect(it.remove()).rejects.toMatchObject({ exitCode: EXIT.usage });
    expect(await readFile(it.layout.program, "utf8")).toBe("version 1");
  });
});

describe("what is not as it was placed", () => {
  test("S-34: a program that was changed since is kept and told, the rest goes", async () => {
    await using it = await installScene();
    await it.run();
    await writeFile(it.layout.program, "my own");
    await it.remove();
    expect(await it.left()).toEqual(["bin", "bin/rport-agent"]);
    expect(it.said.join("\n")).toContain(`kept ${it.layout.program}`);
  });

  test("S-34: a configuration that was changed goes; one of another kind or owner stays", async () => {
    await using it = await installScene();
    await it.run();
    await writeFile(it.layout.config, `${CONFIG}# rotated\n`);
    await it.remove();
    expect(await it.left()).toEqual([]);
    await it.run();
    await rm(it.layout.config);
    await symlink("/etc/hostname", it.layout.config);
    await it.remove();
    expect(await it.left()).toEqual(["rport.conf"]);
  });

  test("S-34: of the state only the agent's own files go", async () => {
    await using it = await installScene();
    await it.run();
    const state = (name: string) => join(it.layout.dataDir, name);
    const own = ["host.key", "host.key.damaged", "state.json.0123456789ab.tmp"];
    for (const name of own) await writeFile(state(name), "");
    await mkdir(state("state.json.d"));
    await writeFile(state("state.json.d/precious"), "");
    await writeFile(state("host.key.bak"), "");
    await it.remove();
    expect(await it.left()).toEqual([
      "state",
      "state/host.key.bak",
      "state/state.json.d",
      "state/state.json.d/precious",
    ]);
    expect(it.said.join("\n")).toContain(`kept ${state("host.key.bak")}`);
  });

  test("S-34: links in the places of folders are not followed", async () => {
    await using it = await installScene();
    await it.run();
    const elsewhere = join(it.directory.path, "elsewhere");
    for (const name of ["state", "bin"]) {
      await rename(join(it.prefix, name), `${elsewhere}-${name}`);
      await symlink(`${elsewhere}-${name}`, join(it.prefix, name));
    }
    await it.remove();
    expect(await readdir(`${elsewhere}-state`)).toEqual(["state.json"]);
    expect(await readdir(`${elsewhere}-bin`)).toEqual(["rport-agent"]);
  });

  test("S-34: a run that was killed after the receipt leaves what can be removed", async () => {
    await using it = await installScene();
    await it.run();
    const receipt = await readFile(join(it.prefix, "install.json"), "utf8");
    await writeFile(it.program, "version 2");
    await it.run();
    const renewed = await readFile(join(it.prefix, "install.json"), "utf8");
    expect(renewed).not.toBe(receipt);
    await writeFile(it.layout.program, "version 1");
    await it.remove();
    expect(await it.left()).toEqual([]);
  });
});

/** What release 0.1 leaves: a receipt without a mark and without hashes. */
async function firstRelease(program: string) {
  const it = await installScene();
  await writeFile(it.program, program);
  await it.run();
  const made = [join(it.directory.path, "made"), it.prefix];
  const receipt = JSON.stringify({ version: 1, directories: made });
  await writeFile(join(it.prefix, "install.json"), `${receipt}\n`);
  return it;
}

describe("an installation of release 0.1", () => {
  test("is removed without a trace, its program known by what is in it", async () => {
    await using it = await firstRelease(`...\n${USAGE}...`);
    await it.remove();
    expect((await it.files()).filter((name) => name.startsWith("made"))).toEqual([]);
  });

  test("keeps a program that is none of ours, and is brought up to date by an installation", async () => {
    await using it = await firstRelease("something else");
    await it.run();
    const receipt = await readFile(join(it.prefix, "install.json"), "utf8");
    expect(JSON.parse(receipt)).toMatchObject({ version: 1 });
    await it.remove();
    expect(await it.left()).toEqual(["bin", "bin/rport-agent"]);
    await using other = await firstRelease("something else");
    await writeFile(other.program, "newer");
    await other.run();
    await other.remove();
    expect(await other.left()).toEqual([]);
  });

  test("that kept its configuration is removed by its configuration", async () => {
    await using it = await firstRelease(USAGE);
    await rm(join(it.prefix, "bin"), { recursive: true });
    await it.remove();
    expect(await it.left()).toEqual([]);
  });
});
