import { once } from "node:events";
import { chmod, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { ENDPOINT_FILE } from "@rport/protocol/endpointFile";
import { describe, expect, it } from "vitest";
import { startAgent } from "../../support/agents/agent.ts";
import { startBackend } from "../../support/backend/backend.ts";
import { runBackend } from "../../support/backend/spawnBackend.ts";
import { Canaries } from "../../support/canaries.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const PASSWORDS = {
  berlin: "berlin-password-0123",
  "fleet a/b": "another-password-4567",
  old: "old-pass",
  "a:b": "colon-password-8901",
  kept: "other-password-2345",
};

/** A running backend that has the credential "kept", and a `client-auth.json`. */
async function scene() {
  await using opened = new AsyncDisposableStack();
  const backend = opened.use(await startBackend());
  const { path } = opened.use(await tempDirectory());
  const first = (await backend.api("listCredentials")).map(({ id }) => id);
  await backend.api("createCredential", { body: { id: "kept", password: "first-password-1" } });
  const file = join(path, "client-auth.json");
  await writeFile(file, JSON.stringify(PASSWORDS));
  const canaries = new Canaries();
  for (const [id, password] of Object.entries(PASSWORDS)) canaries.add(id, password);
  const closing = opened.move();
  return {
    backend,
    file,
    async run(...flags: string[]) {
      const { dataDir } = backend;
      const args = ["import-credentials", file, "--data-dir", dataDir, ...flags];
      const ended = await runBackend(args);
      expect(canaries.in(ended.stdout + ended.stderr)).toEqual([]);
      return ended;
    },
    async ids() {
      const ids = (await backend.api("listCredentials")).map(({ id }) => id);
      return ids.filter((id) => !first.includes(id));
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

describe("import-credentials", () => {
  it("tells what it would do with RPort's client-auth.json, and does nothing", async () => {
    await using fixture = await scene();
    const { code, stdout } = await fixture.run();
    expect(stdout).toContain("2 would be made:\n  berlin\n  fleet a/b\n");
    expect(stdout).toMatch(/1 exist already and stay as they are.*:\n {2}kept\n/);
    expect(stdout).toContain('"old": A password has at least 12 characters; this one has 8.');
    expect(stdout).toContain('"a:b": An auth id cannot contain a colon');
    expect(stdout).toContain("Set [server] client_auth_password_min_length = 8");
    expect(stdout).toContain("Nothing was changed. Run the same with --apply");
    expect(code).toBe(1);
    expect(await fixture.ids()).toEqual(["kept"]);
  });

  it("does it with --apply beside the running backend, so that agents get in as before", async () => {
    await using fixture = await scene();
    const { backend } = fixture;
    const { stdout } = await fixture.run("--apply", "--joins-per-minute", "5000");
    expect(stdout).toContain("2 made:\n  berlin\n  fleet a/b\n");
    expect(await fixture.ids()).toEqual(["berlin", "fleet a/b", "kept"]);
    const params = { authId: "berlin" };
    expect(await backend.api("getCredential", { params })).toMatchObject({
      kind: "fleet",
      limits: { joins_per_minute: 5_000 },
    });
    const { url: server, fingerprint } = backend;
    const client = { fingerprint, auth: `berlin:${PASSWORDS.berlin}`, id: "web" };
    await using agent = await startAgent({ server, client });
    await agent.online();

    const again = await fixture.run("--apply");
    expect(again.stdout).toContain("3 exist already");
    expect(again.stdout).not.toMatch(/^\d+ made:/m);
  });

  it("takes short passwords where the setting allows them", async () => {
    await using backend = await startBackend({ passwordMinLength: 8 });
    await using temp = await tempDirectory();
    const file = join(temp.path, "client-auth.json");
    await writeFile(file, '{"old": "old-pass"}');
    const args = ["import-credentials", file, "--data-dir", backend.dataDir, "--apply"];
    expect(await runBackend(args)).toMatchObject({ code: 0, stdout: "1 made:\n  old\n" });
  });

  it.each([
    ['["berlin-password-0123"]', "is not one JSON object"],
    ['{"berlin": 7}', 'something else than a text for "berlin"'],
    ["berlin-password-0123", "is not one JSON object"],
  ])("refuses the file %j", async (text, sentence) => {
    await using fixture = await scene();
    await writeFile(fixture.file, text);
    const { code, stderr } = await fixture.run("--apply");
    expect(code).toBe(2);
    expect(stderr).toContain(sentence);
  });

  it("says what to do where no backend runs", async () => {
    await using temp = await tempDirectory();
    const file = join(temp.path, "client-auth.json");
    await writeFile(file, "{}");
    const ended = await runBackend(["import-credentials", file, "--data-dir", temp.path]);
    expect(ended.code).toBe(69);
    expect(ended.stderr).toContain(
      `No backend runs. Start it first, or name the right one with --data-dir or --config: ${temp.path} `,
    );
    expect(ended.stderr).toContain("Start it first");
  });

  it("tells nothing to a program that took the place of the backend", async () => {
    await using temp = await tempDirectory();
    const heard: string[] = [];
    const thief = createServer((request, response) => {
      request.on("data", (chunk) => heard.push(String(chunk)));
      heard.push(request.headers.authorization ?? "");
      request.on("end", () => response.end('{"data":[]}'));
    });
    thief.listen(0, "127.0.0.1");
    await once(thief, "listening");
    const { port } = thief.address() as AddressInfo;
    const token = "the-token-of-the-file";
    const endpoint = { url: `http://127.0.0.1:${port}`, token, fingerprint: "SHA256:x", pid: 1 };
    await writeFile(join(temp.path, ENDPOINT_FILE), JSON.stringify(endpoint), { mode: 0o600 });
    const file = join(temp.path, "client-auth.json");
    await writeFile(file, JSON.stringify(PASSWORDS));
    const args = ["import-credentials", file, "--data-dir", temp.path, "--apply"];
    const ended = await runBackend(args);
    thief.close();
    thief.closeAllConnections();
    expect(ended.stderr).toContain(`Another program answers at http://127.0.0.1:${port}`);
    expect(heard.join()).not.toContain(token);
    expect(heard.join()).not.toContain(PASSWORDS.berlin);
  });

  it("does not believe a file that others may have written", async () => {
    await using fixture = await scene();
    await chmod(join(fixture.backend.dataDir, ENDPOINT_FILE), 0o666);
    const { code, stderr } = await fixture.run();
    expect(code).toBe(69);
    expect(stderr).toContain("can be read or changed by other users");
  });
});
