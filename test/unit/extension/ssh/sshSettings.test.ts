import { expect, it, vi } from "vitest";
import { SshSettings } from "../../../../extension/src/ssh/sshSettings.ts";
import { personSettings } from "../fakeSettings.ts";

vi.mock("vscode", async () => (await import("../fakeSettings.ts")).personSettings.module());

it("accounts of hosts that are set at the same time are all kept, and so are those that ssh cannot be told of", async () => {
  personSettings.set("ssh.users", { "old-01": "not an account" });
  const settings = new SshSettings();
  await Promise.all([settings.setUser("web-01", "root"), settings.setUser("db-01", "postgres")]);
  expect(personSettings.get("ssh.users")).toEqual({
    "old-01": "not an account",
    "web-01": "root",
    "db-01": "postgres",
  });
});
