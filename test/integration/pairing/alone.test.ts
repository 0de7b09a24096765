import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { startBackend } from "../../support/backend/backend.ts";
import { eventually } from "../../support/eventually.ts";
import { run } from "../../support/systemd/process.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const MAIN = fileURLToPath(new URL("../../../backend/src/main.ts", import.meta.url));
const KEY = "a-key-of-a-server-0123456789abcdef";

interface Alone extends AsyncDisposable {
  readonly url: string;
  readonly process: ChildProcess;
  readonly directory: string;
  log(): string;
}

/** `rport-backend pairing` as people start it, with a list of servers. */
async function startAlone(flags: readonly string[] = []): Promise<Alone> {
  const { path: directory, ...temp } = await tempDirectory();
  await writeFile(join(directory, "keys"), `server-1 ${KEY}\n`, { mode: 0o600 });
  const config = `[server]\naddress = "127.0.0.1:0"\n[pairing]\nkeys_file = "${directory}/keys"\n`;
  await writeFile(join(directory, "pairing.toml"), config);
  const args = [...flags, MAIN, "pairing", "--config", join(directory, "pairing.toml")];
  const stdio = ["ignore", "pipe", "pipe"] as const;
  const child = spawn(process.execPath, args, { cwd: directory, stdio: [...stdio] });
  let log = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const lines = createInterface({ input: child.stdout ?? process.stdin });
  for await (const line of lines) {
    const url = /Address\s+(\S+)/.exec(line)?.[1];
    if (url === undefined) continue;
    return {
      url,
      process: child,
      directory,
      log: () => log,
      async [Symbol.asyncDispose]() {
        child.kill("SIGKILL");
        await temp[Symbol.asyncDispose]();
      },
    };
  }
  throw new Error(`it did not start: ${log}`);
}

it("PAIR-16, S-06: the process of a pairing service alone has no secret and no token in its memory or log", async () => {
  await using alone = await startAlone(["--heapsnapshot-signal=SIGUSR2"]);
  const keyFile = join(alone.directory, "key");
  await writeFile(keyFile, KEY, { mode: 0o600 });
  const elsewhere = { url: alone.url, service: "sealed", keyFile } as const;
  await using backend = await startBackend({ pairing: { ttlS: 600, elsewhere } });
  const [credential] = await backend.api("listCredentials");
  const body = { credential_id: credential?.id ?? "", name: "a-name-inside" };
  const { token, pairing } = await backend.api("createPairing", { body });
  alone.process.kill("SIGUSR2");
  const memory = await eventually(async () => {
    const [name] = (await readdir(alone.directory)).filter((one) => one.endsWith("heapsnapshot"));
    const text = await readFile(join(alone.directory, name ?? ""), "utf8");
    expect(text.endsWith("]}\n") || text.endsWith("]}")).toBe(true);
    return text;
  }, 30_000);
  for (const dump of [memory, alone.log()]) {
    expect(dump).toContain(pairing.id);
    expect(dump).not.toContain(token);
    expect(dump).not.toContain("a-name-inside");
    expect(dump).not.toContain(KEY);
  }
});

it("ends at a signal, and leaves nothing behind", async () => {
  await using alone = await startAlone();
  const before = await readdir(alone.directory);
  alone.process.kill("SIGTERM");
  const [code] = await once(alone.process, "exit");
  expect(code).toBe(0);
  expect(await readdir(alone.directory)).toEqual(before);
});

it.each([
  ["a setting without a use", "[server]\ndata_dir = '/x'\n", "server.data_dir has no effect"],
  ["a list that cannot be read", "[pairing]\nkeys_file = '/nowhere/keys'\n", "/nowhere/keys"],
  ["a forwarding service", "[pairing]\nurl = 'https://a.example'\n", "pairing.url has no effect"],
])("does not start with %s", async (_what, config, complaint) => {
  await using temp = await tempDirectory();
  const file = join(temp.path, "pairing.toml");
  await writeFile(file, config);
  const { code, stderr } = await run(process.execPath, [MAIN, "pairing", "--config", file], {});
  expect(code).toBe(2);
  expect(stderr).toContain(complaint);
});

it("does not start with a list that others may read, or with a line that is none", async () => {
  await using temp = await tempDirectory();
  const keys = join(temp.path, "keys");
  const file = join(temp.path, "pairing.toml");
  await writeFile(file, `[pairing]\nkeys_file = "${keys}"\n`);
  const start = () => run(process.execPath, [MAIN, "pairing", "--config", file], {});
  await writeFile(keys, `server-1 ${KEY}\n`, { mode: 0o644 });
  expect(await start()).toMatchObject({ code: 2, stderr: expect.stringContaining("0600") });
  await using other = await tempDirectory();
  const short = join(other.path, "keys");
  await writeFile(short, "server-1 short-key\n", { mode: 0o600 });
  await writeFile(file, `[pairing]\nkeys_file = "${short}"\n`);
  const { code, stderr } = await start();
  expect(code).toBe(2);
  expect(stderr).toContain("line 1");
  expect(stderr).not.toContain("short-key");
});
