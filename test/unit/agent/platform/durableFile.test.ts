import { chown, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { CredentialStore } from "../../../../agent/src/config/credentialStore.ts";
import { SYSTEM_CLOCK } from "../../../../agent/src/platform/clock.ts";
import { writeDurably } from "../../../../agent/src/platform/durableFile.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

vi.mock("node:fs/promises", async (importOriginal) => {
  const real = await importOriginal<typeof import("node:fs/promises")>();
  const open: typeof real.open = (path, flags, mode) =>
    flags === "r"
      ? Promise.reject(new Error("folders cannot be opened"))
      : real.open(path, flags, mode);
  return { ...real, open };
});

it("a secret counts as stored that is in the file, also where folders cannot be synced", async () => {
  await using directory = await tempDirectory();
  const file = join(directory.path, "agent.conf");
  const auth = (secret: string) =>
    `[client]\nserver = "h"\nfingerprint = "SHA256:${"A".repeat(43)}"\nauth = "fleet:${secret}"\n`;
  await writeFile(file, auth("old"));
  const store = new CredentialStore(
    {
      file,
      fingerprint: "",
      credential: { authId: "fleet", secret: "old" },
    },
    SYSTEM_CLOCK,
  );
  await store.replaceSecret("new");
  expect(store.current.secret).toBe("new");
  expect(await readFile(file, "utf8")).toBe(auth("new"));
});

it.runIf(process.getuid?.() === 0)(
  "as root, follows no link out of a folder of another account",
  async () => {
    await using directory = await tempDirectory();
    const folder = join(directory.path, "rport");
    const victim = join(directory.path, "ld.so.preload");
    await mkdir(folder);
    await writeFile(victim, "the machine's own");
    await symlink(victim, join(folder, "rport.conf"));
    await chown(folder, 65_534, 65_534);
    const written = writeDurably(join(folder, "rport.conf"), "planted", { mode: 0o600 });
    await expect(written).rejects.toThrow("folder of another account");
    expect(await readFile(victim, "utf8")).toBe("the machine's own");
    expect(await readdir(folder)).toEqual(["rport.conf"]);
    await chown(folder, 0, 0);
    await writeDurably(join(folder, "rport.conf"), "root's own link", { mode: 0o600 });
    expect(await readFile(victim, "utf8")).toBe("root's own link");
  },
);
