import { ADMINISTRATORS } from "@rport/protocol/people/right";
import { describe, expect, it } from "vitest";
import { type SpawnedBackend, spawnBackend } from "../../support/backend/spawnBackend.ts";
import { eventually } from "../../support/eventually.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const CODE = /^ {2}((?:[0-9A-Z]{4}-){2}[0-9A-Z]{4})$/m;
const EVERYWHERE = ["--address", "0.0.0.0:0", "--print-admin-code"];

async function codeOf(backend: SpawnedBackend): Promise<string> {
  return await eventually(() => {
    const [, code] = CODE.exec(backend.stdout()) ?? [];
    if (code === undefined) throw new Error(`no code in: ${backend.stdout()}`);
    return code;
  });
}

async function accept({ api }: SpawnedBackend, code: string, username: string): Promise<number> {
  const password = "correct horse battery";
  const body = { code, username, password, token_name: "laptop" };
  return (await api.page("/api/v1/invitations/accept", body)).status;
}

describe("a backend that people reach from elsewhere", () => {
  it("prints a code for the first administrator, until there is one", async () => {
    await using temp = await tempDirectory();
    let first: string;
    {
      await using backend = await spawnBackend(temp.path, EVERYWHERE);
      first = await codeOf(backend);
      expect(backend.stderr()).not.toContain(first);
      expect(await backend.api.call("listInvitations")).toEqual([]);
    }
    {
      await using backend = await spawnBackend(temp.path, EVERYWHERE);
      const second = await codeOf(backend);
      expect(second).not.toBe(first);
      expect(await accept(backend, first, "eve")).toBe(404);
      expect(await accept(backend, second, "anna")).toBe(201);
      expect(await accept(backend, second, "eve")).toBe(404);
      const [anna, ...others] = await backend.api.call("listUsers");
      expect(anna).toMatchObject({ username: "anna", groups: [ADMINISTRATORS], created_by: "" });
      expect(others).toEqual([]);
    }
    await using backend = await spawnBackend(temp.path, EVERYWHERE);
    await eventually(() => expect(backend.stdout()).toContain("Ctrl-C"));
    await backend.api.call("getStatus");
    expect(backend.stdout()).not.toMatch(CODE);
    expect(backend.stdout()).not.toContain("no administrator");
  });

  it("takes the code back when an administrator was made otherwise", async () => {
    await using temp = await tempDirectory();
    await using backend = await spawnBackend(temp.path, EVERYWHERE);
    const code = await codeOf(backend);
    const groups = [ADMINISTRATORS];
    const body = { username: "anna", password: "correct horse battery", groups };
    await backend.api.call("createUser", { body });
    expect(await accept(backend, code, "eve")).toBe(404);
  });

  it("writes no code where a log may keep it, and says what to do", async () => {
    await using temp = await tempDirectory();
    await using backend = await spawnBackend(temp.path, ["--address", "0.0.0.0:0"]);
    await eventually(() => expect(backend.stdout()).toContain("user add NAME --administrator"));
    expect(backend.stdout()).not.toMatch(CODE);
  });

  it.each([
    ["[server] url", { RPORT_SERVER_URL: "https://rport.example.com" }],
    ["trusted_proxies", { RPORT_SERVER_TRUSTED_PROXIES: "127.0.0.1" }],
  ])("may listen on loopback, behind a proxy of that machine that %s tells of", async (...row) => {
    const [, environment] = row;
    await using temp = await tempDirectory();
    await using backend = await spawnBackend(temp.path, ["--print-admin-code"], { environment });
    expect(await accept(backend, await codeOf(backend), "anna")).toBe(201);
  });

  it.each([
    ["a name of this machine", { RPORT_SERVER_URL: "http://localhost:8080,http://[::1]:8080" }],
    [
      "a name that is for agents, beside an address of people's own",
      { RPORT_SERVER_URL: "https://rport.example.com", RPORT_API_ADDRESS: "127.0.0.1:0" },
    ],
  ])("is none with %s", async (...row) => {
    const [, environment] = row;
    await using temp = await tempDirectory();
    await using backend = await spawnBackend(temp.path, ["--print-admin-code"], { environment });
    await eventually(() => expect(backend.stdout()).toContain("Ctrl-C"));
    expect(backend.stdout()).not.toContain("administrator");
  });

  it("is no local backend: there nothing is said, and nothing changes", async () => {
    await using temp = await tempDirectory();
    await using backend = await spawnBackend(temp.path, ["--print-admin-code"]);
    await eventually(() => expect(backend.stdout()).toContain("Ctrl-C"));
    expect(backend.stdout()).not.toContain("administrator");
  });
});
