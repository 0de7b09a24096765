import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { parse } from "smol-toml";
import { describe, expect, it } from "vitest";
import { replaceAuth } from "../../../../agent/src/config/authLine.ts";
import { CredentialStore } from "../../../../agent/src/config/credentialStore.ts";
import { SYSTEM_CLOCK } from "../../../../agent/src/platform/clock.ts";
import { writeDurably } from "../../../../agent/src/platform/durableFile.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

/** Files that hold the credential in every way one can write it. */
const LAYOUTS = {
  commented: `# first
[client]
  # auth = "not:this"
  server = "h"   # here
  auth = "id:old" # the secret
  name = "a # b"
[connection]
  headers = ["auth: x"]
`,
  windows: '[client]\r\nauth = "id:old"\r\nname = "x"\r\n',
  literal: "[client]\nauth='id:old'\n",
  quotedKey: '[client]\n"auth" = "id:old"\n',
  dotted: 'client.auth = "id:old"\nclient.name = "n"\n',
  inline: 'client = { server = "h", auth = "id:old" }\n',
  multiLine: '[client]\nauth = """\nid:old"""\nname = "n"\n',
  decoy: `[client]
name = """
auth = "id:decoy"
"""
auth = "id:old"
labels = { auth = "id:label" }
[interpreter-aliases]
auth = "id:alias"
`,
  otherSection: '[interpreter-aliases]\nauth = "x"\n[client]\nauth = "id:old"\n',
  noLineEnd: '[client]\nauth = "id:old"',
} as const;

const withAuth = (text: string, auth: string) => {
  const table = parse(text) as { client: Record<string, unknown> };
  table.client.auth = auth;
  return table;
};

describe("replacing the secret in rport.conf", () => {
  it.each(Object.entries(LAYOUTS))("changes nothing else: %s", (_name, text) => {
    const secrets = fc.string({ unit: "binary", minLength: 1, maxLength: 80 });
    const nasty = fc.constantFrom("$&", "$1", '"', "\\", '"""', "'", "#", "\n", "\u007f", "\u0000");
    const secret = fc.tuple(secrets, nasty, secrets).map((parts) => parts.join(""));
    fc.assert(
      fc.property(secret, (value) => {
        const rewritten = replaceAuth(text, { authId: "id", secret: value });
        expect(parse(rewritten)).toEqual(withAuth(text, `id:${value}`));
      }),
    );
  });

  it("keeps comments, spaces and line ends of a file with the value on a line of its own", () => {
    const next = { authId: "id", secret: "new" };
    for (const name of ["commented", "windows", "quotedKey", "dotted", "decoy"] as const) {
      const text: string = LAYOUTS[name];
      expect(replaceAuth(text, next)).toBe(text.replace('"id:old"', '"id:new"'));
    }
  });

  it("refuses a secret that TOML cannot hold", () => {
    const lone = { authId: "id", secret: "\ud800" };
    expect(() => replaceAuth(LAYOUTS.commented, lone)).toThrow("cannot be written");
  });
});

describe("writing a file durably", () => {
  it("keeps the mode of an existing file, follows a link, and leaves nothing beside it", async () => {
    await using directory = await tempDirectory();
    const real = join(directory.path, "real");
    const link = join(directory.path, "link");
    await writeFile(real, "old", { mode: 0o640 });
    await symlink(real, link);
    await writeDurably(link, "new", { mode: 0o600 });
    expect(await readFile(real, "utf8")).toBe("new");
    expect((await stat(real)).mode & 0o777).toBe(0o640);
    expect((await readdir(directory.path)).sort()).toEqual(["link", "real"]);
  });

  it("leaves the old file and no rubbish when it cannot replace it", async () => {
    await using directory = await tempDirectory();
    const target = join(directory.path, "folder");
    await mkdir(join(target, "inside"), { recursive: true });
    await expect(writeDurably(target, "new", { mode: 0o600 })).rejects.toThrow();
    expect(await readdir(directory.path)).toEqual(["folder"]);
  });
});

describe("the credential store", () => {
  const text = (auth: string) =>
    `[client]\nserver = "h"\nfingerprint = "SHA256:${"A".repeat(43)}"\nauth = "${auth}"\n`;

  it("keeps what a person changed in the file meanwhile", async () => {
    await using directory = await tempDirectory();
    const file = join(directory.path, "rport.conf");
    await writeFile(file, `${text("id:old")}name = "edited"\n`);
    const store = new CredentialStore(
      {
        file,
        fingerprint: "",
        credential: { authId: "id", secret: "old" },
      },
      SYSTEM_CLOCK,
    );
    await Promise.all([store.replaceSecret("one"), store.replaceSecret("two")]);
    expect(await readFile(file, "utf8")).toBe(`${text("id:two")}name = "edited"\n`);
    expect(store.current).toEqual({ authId: "id", secret: "two" });
  });

  it("does not write over another auth id", async () => {
    await using directory = await tempDirectory();
    const file = join(directory.path, "rport.conf");
    await writeFile(file, text("somebody:else"));
    const store = new CredentialStore(
      {
        file,
        fingerprint: "",
        credential: { authId: "id", secret: "old" },
      },
      SYSTEM_CLOCK,
    );
    await expect(store.replaceSecret("new")).rejects.toThrow("another auth id");
    expect(store.current.secret).toBe("old");
    expect(await readFile(file, "utf8")).toBe(text("somebody:else"));
  });
});
