import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { CredentialStore } from "../../../../agent/src/config/credentialStore.ts";
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
  const store = new CredentialStore({
    file,
    fingerprint: "",
    credential: { authId: "fleet", secret: "old" },
  });
  await store.replaceSecret("new");
  expect(store.current.secret).toBe("new");
  expect(await readFile(file, "utf8")).toBe(auth("new"));
});
