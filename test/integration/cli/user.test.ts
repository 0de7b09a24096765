import { PassThrough } from "node:stream";
import { ADMINISTRATORS } from "@rport/protocol/people/right";
import { describe, expect, it } from "vitest";
import { userCommand } from "../../../backend/src/cli/people/userCommand.ts";
import { StartFailure } from "../../../backend/src/platform/startFailure.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const PASSWORD = "correct horse battery";

/** Runs `rport-backend user ...` with this on its standard input. */
async function user(dataDir: string, args: readonly string[], text = "") {
  const input = new PassThrough();
  input.end(text);
  const place = { input, prompts: { write: () => true } };
  try {
    const { lines, complaints = [], exitCode } = await userCommand(args, () => dataDir, place);
    return { code: exitCode, stdout: lines.join("\n"), stderr: complaints.join("\n") };
  } catch (caught) {
    if (!(caught instanceof StartFailure)) throw caught;
    return { code: caught.exitCode, stdout: "", stderr: caught.message };
  }
}

async function add({ dataDir }: RunningBackend, ...args: string[]) {
  return await user(dataDir, ["add", ...args], `${PASSWORD}\n`);
}

describe("rport-backend user", () => {
  it("manages people beside the running backend", async () => {
    await using backend = await startBackend();
    const { dataDir, api } = backend;
    expect((await user(dataDir, ["list"])).stdout).toContain("There are no users yet");
    expect(await add(backend, "root", "--administrator")).toMatchObject({ code: 0 });
    expect(await add(backend, "anna", "--display-name", "Anna B.")).toMatchObject({ code: 0 });
    expect(await api("listUsers")).toMatchObject([
      { username: "anna", display_name: "Anna B.", groups: [] },
      { username: "root", groups: [ADMINISTRATORS] },
    ]);
    const made = await user(dataDir, ["token", "anna", "--name", "cron", "--scope", "read"]);
    expect(made).toMatchObject({ code: 0, stderr: "" });
    expect(made.stdout).toMatch(/^[0-9A-Za-z]{8}_\S+$/);
    const params = { userName: "anna" };
    expect(await api("listUserTokens", { params })).toMatchObject([
      { name: "cron", scope: "read" },
    ]);
    const dry = await user(dataDir, ["disable", "anna", "--dry-run"]);
    expect(dry.stdout).toMatch(/would be disabled[\s\S]*personal tokens {6}1\n/);
    expect((await api("listUsers"))[0]).toMatchObject({ disabled: false });
    const done = await user(dataDir, ["disable", "anna"]);
    expect(done.stdout).toMatch(/anna is disabled[\s\S]*personal tokens {6}1\n/);
    expect((await user(dataDir, ["list"])).stdout).toMatch(
      /^anna: in no group; disabled; 0 tokens/,
    );
    expect(await user(dataDir, ["enable", "anna"])).toMatchObject({ code: 0 });
    const other = await user(dataDir, ["passwd", "anna", "--expired"], "another long password");
    expect(other).toMatchObject({ code: 0 });
    expect((await api("listUsers"))[0]).toMatchObject({ disabled: false, password_expired: true });
    const invited = await user(dataDir, ["invite", "--administrator"]);
    expect(invited.stdout).toMatch(/^([0-9A-Z]{4}-){2}[0-9A-Z]{4}$/);
    expect(await api("listInvitations")).toMatchObject([{ groups: [ADMINISTRATORS] }]);
  });

  it("says in a sentence what the backend refuses", async () => {
    await using backend = await startBackend();
    const short = await user(backend.dataDir, ["add", "anna"], "short\n");
    expect(short).toMatchObject({ code: 1, stdout: "" });
    expect(short.stderr).toContain("A password has at least 12 characters");
    const missing = await user(backend.dataDir, ["disable", "nobody"]);
    expect(missing.stderr).toContain("There is no such user.");
    await add(backend, "root", "--administrator");
    const last = await user(backend.dataDir, ["disable", "root"]);
    expect(last.stderr).toContain("This is the last administrator");
  });

  it.each([
    [["ad", "anna"], "user takes one of"],
    [["__proto__"], "user takes one of"],
    [["add"], "takes one name"],
    [["add", "a", "b"], "takes one name"],
    [["list", "a"], "takes no name"],
    [["list", "--scope", "read"], "takes no --scope"],
    [["token", "a"], "needs a --name"],
    [["token", "a", "--name", "x", "--scope", "all"], "--scope is one of"],
    [["token", "a", "--name", "x", "--days", "-1"], "days"],
    [["add", "anna", "--password", "x"], "--password"],
  ])("refuses %j", async (args, sentence) => {
    await using temp = await tempDirectory();
    const { code, stderr } = await user(temp.path, args);
    expect(stderr).toContain(sentence);
    expect(code).toBe(2);
  });

  it("says that no backend runs", async () => {
    await using temp = await tempDirectory();
    expect(await user(temp.path, ["list"])).toMatchObject({ code: 69 });
    expect((await user(temp.path, ["--help"])).stdout).toContain("rport-backend user add NAME");
  });
});
