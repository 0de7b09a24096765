import { copyFile, cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { agentConfigText, runCli } from "../../support/agents/agent.ts";
import { snapshot } from "../../support/backend/snapshot.ts";
import { type Ended, runBackend, spawnBackend } from "../../support/backend/spawnBackend.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const exitOf = ({ code, stderr }: Pick<Ended, "code" | "stderr">) => ({ code, stderr });

/** Everything in a data directory but who has it at the moment. */
async function contentOf(dataDir: string): Promise<[string, string][]> {
  const files = Object.entries(await snapshot(dataDir));
  return files.filter(([path]) => path !== join(dataDir, "lock.json"));
}

/** A data directory that was in use: two credentials, the second only in the latest generation. */
let used: AsyncDisposable & { readonly path: string };

beforeAll(async () => {
  used = await tempDirectory();
  await using backend = await spawnBackend(join(used.path, "data"));
  await backend.api.call("createCredential", { body: { id: "first" } });
  await backend.api.call("createCredential", { body: { id: "second" } });
});
afterAll(() => used[Symbol.asyncDispose]());

describe.concurrent("a backend whose document is damaged", () => {
  it.each([
    ["cut off in the middle", (text: string) => text.slice(0, text.length / 2), "cut off"],
    ["emptied", () => "", "is empty"],
    ["full of zeros, as after a power cut", (text: string) => "\0".repeat(text.length), "not JSON"],
    ["changed in one letter", (text: string) => text.replace("second", "sec0nd"), "checksum"],
  ])(
    "D-09, C-28: by being %s does not start, says what is wrong and which copy is good, and touches nothing",
    async (_, damage, what) => {
      await using temp = await tempDirectory();
      const dataDir = join(temp.path, "data");
      const document = join(dataDir, "rport.json");
      await cp(join(used.path, "data"), dataDir, { recursive: true });
      await writeFile(document, damage(await readFile(document, "utf8")));
      const before = await contentOf(dataDir);
      const { code, stderr, stdout } = await runBackend(["--data-dir", dataDir, "--port", "0"]);

      expect({ code, stdout }).toEqual({ code: 65, stdout: "" });
      expect(stderr).toContain(`${document} `);
      expect(stderr).toContain(what);
      expect(stderr).toContain(`cp -p '${document}.1' '${document}'`);
      expect(stderr).not.toMatch(/\n\s+at /);
      expect(await contentOf(dataDir)).toEqual(before);
    },
  );

  it("starts with the copy it named, which lacks the last change, when it is told to", async () => {
    await using temp = await tempDirectory();
    const document = join(temp.path, "rport.json");
    await cp(join(used.path, "data"), temp.path, { recursive: true });
    await copyFile(`${document}.1`, document);
    const refused = await runBackend(["--data-dir", temp.path, "--port", "0"]);
    expect(refused).toMatchObject({
      code: 65,
      stderr: expect.stringContaining("--accept-lost-changes"),
    });
    await using backend = await spawnBackend(temp.path, ["--accept-lost-changes"]);
    const ids = (await backend.api.call("listCredentials")).map(({ id }) => id);
    expect(ids).toContain("first");
    expect(ids).not.toContain("second");
  });
});

describe.concurrent("a configuration with a mistake", () => {
  const BACKEND = '[server]\ndata_dir = "DIR/data"\n';
  it.each([
    ["an unknown key", `${BACKEND}adress = ":0"`, ['"adress"', '"address"', "used_ports"]],
    ["a value of another type", `${BACKEND}address = 8080`, ["address = 8080", "string"]],
    ["text that is no TOML", `${BACKEND}address = `, ["line 3"]],
  ])(
    "C-04: of the backend, %s, ends with 2 and names file, key and what is allowed",
    async (_, text, names) => {
      await using temp = await tempDirectory();
      const file = join(temp.path, "rport-backend.toml");
      await writeFile(file, text.replace("DIR", temp.path));
      const ended = exitOf(await runBackend(["-c", file, "--port", "0"]));
      expect(ended).toEqual({ code: 2, stderr: expect.stringContaining(file) });
      for (const name of names) expect(ended.stderr).toContain(name);
      expect(ended.stderr).not.toMatch(/\n\s+at /);
      expect(Object.keys(await snapshot(temp.path))).toEqual([file]);
    },
  );

  it.each([
    ["rules nobody reads", 'tunel_allowed = "22"', ["client.tunel_allowed", "tunnel_allowed in"]],
    ["a value of another type", "tags = { a = 7 }", ["client.tags", "a list"]],
    ["a fingerprint that is none", 'fingerprint = "ab:cd"', ["client.fingerprint", "SHA256:"]],
    ["no quotation mark", 'auth = "canary-secret', ["line"]],
  ])(
    "C-04: of the agent, %s, ends with 2, names file, key and what is allowed, and shows no secret",
    async (_, line, names) => {
      await using temp = await tempDirectory();
      const file = join(temp.path, "rport.conf");
      const good = agentConfigText({ server: "http://127.0.0.1:1" }, temp.path);
      const key = line.split(" ")[0] ?? "";
      const others = good.split("\n").filter((other) => !other.startsWith(`${key} `));
      await writeFile(file, others.join("\n").replace("[client]\n", `[client]\n${line}\n`));
      const ended = exitOf(
        await runCli(["run", "-c", file]).then((r) => ({ ...r, code: r.code ?? 0 })),
      );
      expect(ended).toEqual({ code: 2, stderr: expect.stringContaining(file) });
      for (const name of names) expect(ended.stderr).toContain(name);
      expect(ended.stderr).not.toMatch(/canary|1234:with|\n\s+at /);
    },
  );
});
