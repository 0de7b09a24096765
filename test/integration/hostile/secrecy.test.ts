import { randomBytes } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { linuxCommand } from "@rport/protocol/commands";
import { API_PREFIX } from "@rport/protocol/http";
import { pairingTokenSchema } from "@rport/protocol/pairing";
import { type NewPairing, newPairingSchema } from "@rport/protocol/pairing/endpoints";
import { tokenParts } from "@rport/protocol/sealing";
import { expect, it } from "vitest";
import { builtAgent } from "../../support/agents/builtAgent.ts";
import { type InstalledAgent, installedAgent } from "../../support/agents/installedAgent.ts";
import { isLetIn, PeerAgent } from "../../support/agents/peerAgent.ts";
import { ApiRecorder, type RecordedRequest } from "../../support/backend/apiRecorder.ts";
import { EventStream } from "../../support/backend/eventStream.ts";
import { filesBelow } from "../../support/backend/snapshot.ts";
import { type SpawnedBackend, spawnBackend } from "../../support/backend/spawnBackend.ts";
import { Canaries } from "../../support/canaries.ts";
import { eventually } from "../../support/eventually.ts";
import { type SeenProcess, watchProcesses } from "../../support/processWatch.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const FLEET = "fleet";
const JSON_TYPE = { "Content-Type": "application/json" };
const random = () => randomBytes(12).toString("hex");

/** What may stand in which file, and nowhere else. */
const KEPT_IN: Readonly<Record<string, readonly string[]>> = {
  "endpoint.json": ["API token"],
  "server.key": ["host key seed"],
  "verifier.key": ["verifier key"],
};

interface Life {
  readonly backend: SpawnedBackend;
  readonly recorder: ApiRecorder;
  readonly canaries: Canaries;
  readonly dataDir: string;
}

/** Credentials with passwords of every kind. */
async function makeCredentials({ recorder, canaries }: Life): Promise<void> {
  const typed = `typed "by" hand/ä+%&? ${random()}`;
  const further = `a further one ${random()}`;
  canaries.add("typed password", typed);
  canaries.add("further password", further);
  const issue = async (name: string, path: string, body: object) => {
    const [password = ""] = await recorder.issue(path, body, ["password"]);
    if (!("password" in body)) canaries.add(name, password);
  };
  await issue("generated password", "/clients-auth", { id: FLEET });
  await issue("typed password", "/clients-auth", { id: "people", password: typed });
  await issue("further password", "/clients-auth/people/secrets", { password: further });
  await issue("further secret", `/clients-auth/${FLEET}/secrets`, {});
}

/** A pairing, of which everything that opens it is a canary. */
async function makePairing({ recorder, canaries, backend }: Life): Promise<NewPairing> {
  const body = { credential_id: FLEET, name: "web-1" };
  const [token = "", commands = ""] = await recorder.issue("/pairings", body, [
    "token",
    "commands",
  ]);
  const parts = tokenParts(pairingTokenSchema.parse(token));
  canaries.add("pairing token", token);
  canaries.add("claim key", parts.claimKey);
  canaries.add("seal key", parts.sealKey);
  const { data } = JSON.parse(`{"data":${recorder.answers.at(-1)}}`);
  expect(data.server_url).toBe(backend.endpoint.url);
  return newPairingSchema.parse({ ...data, token, commands: JSON.parse(commands) });
}

/** Installs with the line that the editor shows; answers with what ran meanwhile. */
async function install(
  agent: InstalledAgent,
  pairing: NewPairing,
): Promise<{ readonly seen: readonly SeenProcess[]; readonly output: string }> {
  const { server_url: url, script_sha256: sha256, token } = pairing;
  const flags = ["--prefix", agent.prefix, "--no-service", "--runtime", "node", "--verbose"];
  const parts = { url, id: pairing.pairing.id, sha256, token, flags };
  const watch = await watchProcesses();
  const result = await agent.paste(linuxCommand({ ...parts, tool: "curl", sudo: false }));
  const seen = await watch.stop();
  expect(result).toMatchObject({ code: 0 });
  return { seen, output: result.stdout + result.stderr };
}

/** Gives the agent another secret, and waits until it has it. */
async function rotate({ recorder, canaries }: Life, agent: InstalledAgent, name: string) {
  const before = await agent.secret();
  const path = `${API_PREFIX}/clients-auth/${FLEET}/rotate`;
  const body = JSON.stringify({ grace_seconds: null });
  expect(await recorder.send({ method: "POST", path, headers: JSON_TYPE, body })).toBe(200);
  await eventually(async () => expect(await agent.secret()).not.toBe(before));
  canaries.add(name, await agent.secret());
}

/** Requests that fail, each with secrets where a careless program would put them. */
function failingRequests(secrets: readonly string[]): RecordedRequest[] {
  const post = (path: string, body: string, headers = JSON_TYPE) =>
    ({ method: "POST", path, headers, body }) as const;
  const credentials = `${API_PREFIX}/clients-auth`;
  return secrets.flatMap((secret) => {
    const inUrl = encodeURIComponent(secret);
    const inJson = JSON.stringify(secret);
    const header = Buffer.from(secret).toString("base64");
    return [
      post(credentials, `{"id":"x","password":${inJson}}`),
      post(credentials, `{"id":"good-id","password":${inJson},"limits":${inJson}}`),
      post(credentials, `{"id":"good-id","password":${inJson}`),
      post(credentials, secret),
      post(credentials, JSON.stringify({ id: "good-id", password: secret.repeat(100) })),
      post(credentials, JSON.stringify({ id: "good-id", password: secret.repeat(4_000) })),
      post(credentials, `password=${inUrl}`, { "Content-Type": "text/plain" }),
      post(`${credentials}/${FLEET}/secrets`, `{"password":[${inJson}]}`),
      post(`${API_PREFIX}/pairings`, `{"credential_id":"nobody","name":${inJson.repeat(2)}}`),
      post("/pair/v1/claim", `{"token":${inJson}}`),
      post("/pair/v1/claim", `{"id":${inJson},"claimant":${inJson},"proof":${inJson}}`),
      { path: `${API_PREFIX}/status?access_token=${inUrl}`, headers: { Authorization: "" } },
      { path: `${API_PREFIX}/clients?filter[password]=${inUrl}` },
      { path: `${API_PREFIX}/status`, headers: { Authorization: `Bearer ${header}` } },
      { path: `${API_PREFIX}/status`, headers: { Authorization: `Basic ${btoa(`x:${header}`)}` } },
      { path: `${API_PREFIX}/status`, headers: { Cookie: header, Authorization: header } },
    ];
  });
}

/** Secrets that somebody took for ids: a path is logged, so they have to be known by their form. */
function lostInPaths(generated: readonly string[]): RecordedRequest[] {
  return generated.flatMap((secret) => [
    { path: `${API_PREFIX}/clients-auth/${secret}` },
    { method: "DELETE", path: `${API_PREFIX}/clients-auth/${secret}` },
    { path: `${API_PREFIX}/clients/${secret}` },
    { method: "DELETE", path: `${API_PREFIX}/pairings/${secret}` },
    { method: "PUT", path: `${API_PREFIX}/clients/${secret}/tunnels?remote=22` },
    { path: `/p/${secret}` },
    { path: `/agent/${secret}/${secret}` },
    { path: `/${secret}?token=${secret}` },
  ]);
}

/** Logins that fail, and one that shows its secret to the server as Go clients do. */
async function useAgentsDoor({ backend }: Life, secrets: readonly string[]): Promise<void> {
  const { url } = backend.endpoint;
  for (const [index, secret] of secrets.entries()) {
    const other = secrets[(index + 1) % secrets.length] ?? "";
    expect(await isLetIn({ url, user: secret, password: other })).toBe(false);
    expect(await isLetIn({ url, user: FLEET, password: `${secret}x` })).toBe(false);
  }
  const [password = ""] = secrets;
  const introduction = {
    ID: "go-client",
    ClientConfiguration: { client: { auth: `${FLEET}:${password}`, fallback: secrets } },
  };
  const login = { url: url.replace("http", "ws"), user: FLEET, password, introduction };
  await using agent = await PeerAgent.join(login);
  await agent.ask(`unknown request ${password}`);
}

/** What takes rights away, previewed and done; a host that is turned away leaves its trace. */
async function takeAway({ recorder, backend }: Life, password: string): Promise<void> {
  const people = "/clients-auth/people";
  const goClient = "/clients/go-client/revoke";
  const [secret] = await backend.api.call("listSecrets", { params: { authId: "people" } });
  const grace = { grace_seconds: 3_600 };
  const calls: readonly [string, string, object?][] = [
    ["PATCH", people, { label: "People", limits: { max_clients: 3 } }],
    ["POST", `${people}/rotate?dry_run=true`, grace],
    ["POST", `${people}/rotate`, grace],
    ["GET", `${people}/rotation`],
    ["DELETE", `${people}/rotation`],
    ["POST", `${people}/rotate`, grace],
    ["POST", `${people}/rotation/finish?dry_run=true`],
    ["POST", `${people}/rotation/finish`],
    ["DELETE", `${people}/secrets/${secret?.id}?report=true`],
    ["POST", `${goClient}?dry_run=true`],
    ["POST", goClient],
    ["POST", "/clients-auth/purge-unused", { dry_run: true }],
  ];
  const send = async ([method, path, body]: (typeof calls)[number]): Promise<void> => {
    const json = body === undefined ? {} : { headers: JSON_TYPE, body: JSON.stringify(body) };
    const status = await recorder.send({ method, path: API_PREFIX + path, ...json });
    expect(status, `${method} ${path}`).toBeLessThan(300);
  };
  for (const call of calls) await send(call);
  const introduction = { ID: "go-client" };
  const url = backend.endpoint.url.replace("http", "ws");
  const refused = PeerAgent.join({ url, user: FLEET, password, introduction });
  await expect(refused).rejects.toThrow(/revoked/);
  const listed = await backend.api.call("listRefusals");
  expect(listed.map(({ reason }) => reason)).toContain("revoked-client");
  await send(["DELETE", goClient]);
}

async function askEverything({ recorder }: Life): Promise<void> {
  const credentials = ["", `/${FLEET}`, `/${FLEET}/secrets`, "/people", "/people/secrets"];
  const paths = [
    ...credentials.map((path) => `/clients-auth${path}`),
    ...["/status", "/clients", "/clients/go-client", "/tunnels", "/pairings"],
    "/clients?fields[clients]=id,secret,client_configuration",
    ...["/refusals", `/clients-auth/${FLEET}/rotation`, "/auditlog?page[limit]=100"],
  ];
  for (const path of paths) expect(await recorder.send({ path: API_PREFIX + path })).toBe(200);
}

/** The modes of files below a directory that more than the owner may use. */
async function looseFiles(directory: string): Promise<readonly string[]> {
  const files = await filesBelow(directory);
  const loose = await Promise.all(files.map(async (path) => (await stat(path)).mode & 0o077));
  return files.filter((_, index) => loose[index] !== 0);
}

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

it("S-23, S-24: no secret of a host's whole life is in a log, a process, an answer, an event or a file but the agent's own rport.conf", async () => {
  await builtAgent();
  await using temp = await tempDirectory();
  const dataDir = join(temp.path, "data");
  const logFile = join(temp.path, "backend.log");
  const args = ["--log-level", "debug", "--log-file", logFile];
  await using backend = await spawnBackend(dataDir, args);
  const { url, token } = backend.endpoint;
  const canaries = new Canaries();
  canaries.add("API token", token);
  for (const [name, file] of [
    ["host key seed", "server.key"],
    ["verifier key", "verifier.key"],
  ] as const) {
    canaries.add(name, Buffer.from((await readFile(join(dataDir, file), "utf8")).trim(), "hex"));
  }
  const life: Life = { backend, recorder: new ApiRecorder(url, token), canaries, dataDir };
  using events = new EventStream(url, token);
  const heard: string[] = [];
  events.socket.on("message", (data) => heard.push(String(data)));
  await events.snapshot();

  await makeCredentials(life);
  await using agent = await installedAgent();
  const pairing = await makePairing(life);
  const { seen, output } = await install(agent, pairing);
  canaries.add("agent secret", await agent.secret());
  const known = [await agent.secret(), pairing.token];
  await rotate(life, agent, "rotated secret");
  await rotate(life, agent, "secret rotated again");
  const [further = ""] = await life.recorder.issue(`/clients-auth/${FLEET}/secrets`, {}, [
    "password",
  ]);
  canaries.add("Go client's secret", further);
  const secrets = [further, `wrong "typed" one/ä+%&? ${random()}`, ...known];
  canaries.add("wrong password", secrets[1] ?? "");
  const generated = [...known, further, token];
  for (const request of [...failingRequests(secrets), ...lostInPaths(generated)]) {
    const status = await life.recorder.send(request);
    expect(status, `${request.method} ${request.path}`).toBeGreaterThanOrEqual(400);
  }
  await useAgentsDoor(life, secrets);
  await takeAway(life, further);
  await askEverything(life);
  const processes = seen.map(({ commandLine, environment }) => `${commandLine}\n${environment}`);
  const running = await Promise.all(
    ["cmdline", "environ"].flatMap((name) => [
      readFile(`/proc/${backend.pid}/${name}`, "latin1"),
      agent.pid().then((pid) => readFile(`/proc/${pid}/${name}`, "latin1")),
    ]),
  );

  // The programs that handle the token and the secret were really seen; others are too brief.
  const lines = seen.map(({ commandLine }) => commandLine.replaceAll("\0", " ")).join("\n");
  expect(lines).toMatch(/install --token-stdin/);
  expect(lines).toMatch(/run -c /);
  expect(canaries.count).toBeGreaterThanOrEqual(14);
  const places = {
    "the installer's processes": processes.join("\n"),
    "processes that run": running.join("\n"),
    "the installer's output": output,
    "the backend's output": backend.stdout() + backend.stderr(),
    "the backend's log": await readFile(logFile),
    answers: life.recorder.answers.join("\n"),
    events: heard.join("\n"),
  };
  const found = Object.entries(places).map(([place, text]) => [place, canaries.in(text)]);
  expect(Object.fromEntries(found)).toEqual(
    Object.fromEntries(Object.keys(places).map((place) => [place, []])),
  );
  expect(String(places["the backend's log"])).toContain('"level":"debug"');
  expect(places.answers.length).toBeGreaterThan(10_000);

  for (const path of await filesBelow(dataDir)) {
    const allowed = KEPT_IN[basename(path)] ?? [];
    expect(canaries.in(await readFile(path), allowed), path).toEqual([]);
  }
  for (const path of await filesBelow(agent.prefix)) {
    const isOwn = path === agent.configFile;
    const expected = isOwn ? ["secret rotated again"] : [];
    expect(canaries.in(await readFile(path)), path).toEqual(expected);
  }
  expect(await readdir(agent.temporary)).toEqual([]);
  expect(await modeOf(agent.configFile)).toBe("600");
  expect(await modeOf(dataDir)).toBe("700");
  expect(await looseFiles(dataDir)).toEqual([]);
  expect(await looseFiles(join(agent.prefix, "state"))).toEqual([]);
  expect(await modeOf(logFile)).toBe("600");
  expect(await modeOf(join(agent.prefix, "rport-agent.log"))).toBe("600");

  expect(await agent.uninstall()).toMatchObject({ code: 0 });
  expect(await filesBelow(agent.prefix).catch(() => [])).toEqual([]);
}, 180_000);
