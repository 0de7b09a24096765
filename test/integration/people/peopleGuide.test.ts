import { stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { startBackend } from "../../support/backend/backend.ts";
import { PASSWORD } from "../../support/backend/person.ts";
import { Guide } from "../../support/guide.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const MAIN = fileURLToPath(new URL("../../../backend/src/main.ts", import.meta.url));
const scripts = "Scripts";

describe("docs/people.md, followed as it is written", () => {
  it(`"${scripts}": a token in a file that nobody else reads, until it is ended`, async () => {
    await using temp = await tempDirectory();
    await using backend = await startBackend();
    const file = join(temp.path, "token.conf");
    const guide = await Guide.read("people.md", {
      "npm start --silent --": `${process.execPath} ${MAIN}`,
      "/var/lib/rport-backend": backend.dataDir,
      "https://rport.example.com": backend.url,
      "token.conf": file,
    });
    await backend.api("createUser", { body: { username: "anna", password: PASSWORD } });

    expect(await guide.run(scripts, 1)).toBe("");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const params = { userName: "anna" };
    const tokens = await backend.api("listUserTokens", { params });
    expect(tokens).toMatchObject([{ name: "nightly", scope: "read" }]);
    expect(JSON.parse(await guide.run(scripts, 2))).toMatchObject({ data: [] });

    const [{ prefix } = { prefix: "" }] = tokens;
    await backend.api("deleteUserToken", { params: { ...params, prefix } });
    const refused = await guide.run(scripts, 2).catch((error) => error.stdout);
    expect(refused).toContain("This token was ended.");
    expect(guide.count(scripts)).toBe(2);
  });
});
