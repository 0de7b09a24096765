import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { newPairingToken } from "@rport/protocol/sealing";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../agent/src/config/config.ts";
import { runCli } from "../../support/agents/agent.ts";
import {
  errorBody,
  type PairingServer,
  startPairingServer,
} from "../../support/backend/pairingServer.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const SERVER = "https://rport.example.org";

async function place(): Promise<
  AsyncDisposable & { readonly file: string; readonly path: string }
> {
  const directory = await tempDirectory();
  return { ...directory, file: join(directory.path, "etc", "rport.conf") };
}

interface Enrolling {
  readonly file: string;
  readonly token?: string;
  readonly more?: readonly string[];
}

function enroll(server: Pick<PairingServer, "url" | "token">, options: Enrolling) {
  const { file, token = server.token, more = [] } = options;
  const args = ["enroll", "--server", server.url, "--config", file, "--token-stdin", ...more];
  return runCli(args, token);
}

const configIn = async (file: string) => parseConfig(await readFile(file, "utf8"), file);

describe("rport-agent enroll", () => {
  it("writes a private configuration from the token alone, and says who the host is", async () => {
    await using pairing = await startPairingServer({
      server_urls: [SERVER, "wss://second.example.org/agents"],
      name: "web-1",
      tags: ["prod"],
    });
    await using at = await place();
    const more = ["--tag", "ci", "--tag", "prod", "--data-dir", "/srv/rport"];
    const typed = `\ufeff ${pairing.token.toLowerCase().replace(/(.{13})/, "$1-")}\r\n`;
    const result = await enroll(pairing, { file: at.file, token: typed, more });
    expect(result.stderr).toBe("");
    const config = await configIn(at.file);
    expect(result.stdout).toBe(`enrolled as paired-hosts, client ${config.id}\n`);
    expect(result.code).toBe(0);
    expect(config).toMatchObject({
      servers: ["wss://rport.example.org:443/", "wss://second.example.org:443/agents/"],
      credential: { authId: "paired-hosts", secret: "a-secret-only-for-this-host" },
      name: "web-1",
      tags: ["prod", "ci"],
      dataDir: "/srv/rport",
      keepAliveMs: 25_000,
    });
    expect((await stat(at.file)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(at.path, "etc"))).toEqual(["rport.conf"]);
    const [claim] = pairing.claims;
    expect(claim).toMatchObject({ path: "/pair/v1/claim", client_id: config.id });
    expect(JSON.stringify(claim)).not.toContain(pairing.token);
  });

  it("renews the configuration of the same server, keeping the id and the host's own rules", async () => {
    await using pairing = await startPairingServer({ server_urls: [SERVER] });
    await using at = await place();
    await mkdir(join(at.path, "etc"));
    const old = `[client]\nserver = "${SERVER}:443"\nid = "kept-id"\ntunnel_allowed = ["127.0.0.1:22"]\n[logging]\nlog_level = "debug"\n`;
    await writeFile(at.file, old, { mode: 0o640 });
    const result = await enroll(pairing, { file: at.file });
    expect(result).toMatchObject({ code: 0, stderr: "" });
    const config = await configIn(at.file);
    expect(config).toMatchObject({ id: "kept-id", logLevel: "debug" });
    expect(config.tunnelAllowed.map(({ written }) => written)).toEqual(["127.0.0.1:22"]);
    expect((await stat(at.file)).mode & 0o777).toBe(0o640);
    const renewed = await enroll(pairing, { file: at.file, more: ["--new-id"] });
    expect(renewed.code).toBe(0);
    expect((await configIn(at.file)).id).toMatch(/^[0-9a-f]{8}-/);
  });

  it("does not leave another server without --force, and the token survives being asked", async () => {
    await using pairing = await startPairingServer({ server_urls: [SERVER] });
    await using at = await place();
    await mkdir(join(at.path, "etc"));
    const old = '[client]\nserver = "https://other.example.org"\nid = "kept-id"\n';
    await writeFile(at.file, old);
    const refused = await enroll(pairing, { file: at.file });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("--force");
    expect(await readFile(at.file, "utf8")).toBe(old);
    const forced = await enroll(pairing, { file: at.file, more: ["--force"] });
    expect(forced.code).toBe(0);
    expect(await configIn(at.file)).toMatchObject({ id: "kept-id" });
    const [first, second] = pairing.claims;
    expect(second?.claimant).toBe(first?.claimant);
  });

  it.each([
    ["tunel_allowed = ['22']", "client.tunel_allowed would have no effect"],
    ["proxy = 'http://a:100%b@p'", "client.proxy has a % in its login"],
    ["Server = 'x'", "client.server is there in two spellings"],
  ])("spends no token where the file that is there says %s", async (more, says) => {
    await using pairing = await startPairingServer({ server_urls: [SERVER] });
    await using at = await place();
    await mkdir(join(at.path, "etc"));
    const old = `[client]\nserver = "${SERVER}"\n${more}\n`;
    await writeFile(at.file, old);
    for (const flags of [[], ["--force"]]) {
      const refused = await enroll(pairing, { file: at.file, more: flags });
      expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining(says) });
    }
    expect(pairing.claims).toEqual([]);
    expect(await readFile(at.file, "utf8")).toBe(old);
  });

  it("renews a file of RPort's client, whatever the case of its names", async () => {
    await using pairing = await startPairingServer({ server_urls: [SERVER] });
    await using at = await place();
    await mkdir(join(at.path, "etc"));
    const old = `[Client]\nServer = "${SERVER}"\nID = 4711\nTunnel_Allowed = "127.0.0.1:22"\n`;
    await writeFile(at.file, old);
    expect(await enroll(pairing, { file: at.file })).toMatchObject({ code: 0, stderr: "" });
    const config = await configIn(at.file);
    expect(config.id).toBe("4711");
    expect(config.tunnelAllowed.map(({ written }) => written)).toEqual(["127.0.0.1:22"]);
  });

  it("asks again as the same claimant when an answer is lost", async () => {
    await using pairing = await startPairingServer({ server_urls: [SERVER] });
    await using at = await place();
    pairing.plan.push("hangUp", { status: 503, body: "" });
    const result = await enroll(pairing, { file: at.file });
    expect(result.code).toBe(0);
    expect(pairing.claims).toHaveLength(3);
    expect(new Set(pairing.claims.map(({ claimant }) => claimant)).size).toBe(1);
  });

  it.each([
    { why: "the token is not known", code: 4, says: "unknown, expired or already used" },
    { why: "the server says no", code: 9, says: "status 403: Too many claims" },
    { why: "the answer is no envelope", code: 9, says: "status 200" },
    { why: "nobody answers", code: 5, says: "cannot be reached" },
    { why: "the token is no token", code: 2, says: "26 letters and digits" },
  ])("exits with $code when $why, and writes nothing", async ({ why, code, says }) => {
    await using pairing = await startPairingServer({ server_urls: [SERVER] });
    await using at = await place();
    const token = why === "the token is no token" ? "hunter2hunter2" : pairing.token;
    const isForeign = why === "the token is not known";
    if (code === 9) {
      const status = why.startsWith("the server") ? 403 : 200;
      pairing.plan.push({ status, body: errorBody("Too many\u001b[31m claims") });
    }
    const url = code === 5 ? "http://127.0.0.1:1" : pairing.url;
    const sent = isForeign ? newPairingToken() : token;
    const result = await enroll({ url, token: pairing.token }, { file: at.file, token: sent });
    expect(result.code).toBe(code);
    expect(result.stderr.replace(/\s+\[31m /, " ")).toContain(says);
    expect(result.stderr).not.toContain("\u001b");
    expect(result.stderr).not.toContain(sent);
    await expect(stat(at.file)).rejects.toThrow("ENOENT");
  });
});
