import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { spawnBackend } from "../../support/backend/spawnBackend.ts";
import { eventually } from "../../support/eventually.ts";
import { Guide } from "../../support/guide.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const PAGE = "moving-from-rport.md";
const MAIN = fileURLToPath(new URL("../../../backend/src/main.ts", import.meta.url));
const SEED = "the value in rportd.conf";
const PASSWORDS = { berlin: "old-password", fleet: "tinytiny", ab: "long-enough-password" };

/** The page's configuration, in a file, with a data directory of this test. */
async function configIn(directory: string): Promise<string> {
  const text = await readFile(new URL(`../../../docs/${PAGE}`, import.meta.url), "utf8");
  const [, toml = ""] = /^```toml\n([\s\S]*?)^```$/m.exec(text) ?? [];
  expect(toml).toContain(SEED);
  const file = join(directory, "rport-backend.toml");
  await writeFile(file, toml.replace("/var/lib/rport-backend", join(directory, "data")));
  return file;
}

describe(`docs/${PAGE}, followed as it is written`, () => {
  it("takes a fleet over: the same key, the same passwords, nothing done on a host", async () => {
    await using temp = await tempDirectory();
    const config = await configIn(temp.path);
    const file = join(temp.path, "client-auth.json");
    await writeFile(file, JSON.stringify(PASSWORDS));
    const dataDir = join(temp.path, "data");
    const guide = await Guide.read(PAGE, {
      "npm start --": `${process.execPath} ${MAIN}`,
      "/etc/rport/rport-backend.toml": config,
      "/etc/rport/client-auth.json": file,
      "/var/lib/rport-backend": dataDir,
    });
    await using backend = await spawnBackend(dataDir, ["--config", config]);

    // Status 1: one entry cannot be made, and the page says why.
    const preview = await guide.run("The credentials", 2).catch((error) => error.stdout);
    expect(preview).toContain("2 would be made:\n  berlin\n  fleet\n");
    expect(preview).toContain('"ab": An auth id has at least 3 characters.');
    await writeFile(file, JSON.stringify({ berlin: PASSWORDS.berlin }));
    expect(await guide.run("The credentials", 3)).toBe("1 made:\n  berlin\n");
    await writeFile(file, JSON.stringify({ berlin: "other", fleet: PASSWORDS.fleet }));
    const made = await guide.run("The credentials", 4);
    expect(made).toContain("1 made:\n  fleet\n");
    expect(made).toContain("1 exist already");
    const { limits } = await backend.api.call("getCredential", { params: { authId: "fleet" } });
    expect(limits.joins_per_minute).toBe(5_000);

    const url = backend.endpoint.url.replace("http", "ws");
    const joined = (user: "berlin" | "fleet", id: string) =>
      PeerAgent.join({ url, user, password: PASSWORDS[user], introduction: { ID: id } });
    await using _one = await joined("berlin", "host-1");
    await using _two = await joined("fleet", "host-2");
    await using _three = await joined("fleet", "host-3");
    const { fingerprint } = await backend.api.call("getStatus");
    await eventually(async () => {
      const seen = JSON.parse(await guide.run("The switch", 1));
      expect(seen).toEqual({ fingerprint, clients_connected: 3 });
    });
  });

  it("gives the server a key that comes from the seed alone", async () => {
    await using one = await tempDirectory();
    await using other = await tempDirectory();
    const config = await configIn(one.path);
    await using first = await spawnBackend(join(one.path, "data"), ["--config", config]);
    const environment = { RPORT_SERVER_KEY_SEED: SEED };
    await using second = await spawnBackend(other.path, [], { environment });
    expect(second.endpoint.fingerprint).toBe(first.endpoint.fingerprint);
  });
});
