// Writes what a server of a release leaves on disk, as a fixture for `test/integration/durability/
// release.test.ts`. When a version was released, run in this checkout, with another one of the
// release in which `npm ci` and `npm run package` were run:
//
//   npx node test/support/release/writeRelease.ts CHECKOUT test/fixtures/release-VERSION
//
// Everything in it is made up for the test: keys, secrets, hosts and addresses.
import { generateKeyPairSync } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { pairingTokenSchema } from "@rport/protocol/pairing";
import { tokenParts } from "@rport/protocol/sealing";
import { claimPairing } from "../../../agent/src/enroll/claim.ts";
import { SYSTEM_CLOCK } from "../../../agent/src/platform/clock.ts";
import { PeerAgent } from "../agents/peerAgent.ts";
import { type SpawnedBackend, spawnBackend } from "../backend/spawnBackend.ts";
import { eventually } from "../eventually.ts";
import { type HostName, joinAs, type Known, TUNNEL_PORTS } from "./scene.ts";

/** What is asked of the release in the end, and of today's server in the test. */
const PATHS = [
  "/clients-auth",
  ...["fleet", "typed", "rotating", "waiting"].map((id) => `/clients-auth/${id}/secrets`),
  "/clients-auth/rotating/rotation",
  ...["shared", "paired", "revoked", "renamed", "typed", "moved", "away", "orphan"].map(
    (id) => `/clients/${id}`,
  ),
  "/tunnels",
  "/auditlog",
];

/** The key of the host that has one. */
const { privateKey } = generateKeyPairSync("ed25519");
const hostKey = privateKey.export({ type: "pkcs8", format: "pem" }).toString();

class Scene {
  readonly secrets: Record<HostName, string> = {
    shared: "",
    paired: "",
    revoked: "",
    renamed: "",
    typed: "",
    moved: "",
    away: "",
    orphan: "",
  };
  tunnelPort = "";
  readonly #backend: SpawnedBackend;

  constructor(backend: SpawnedBackend) {
    this.#backend = backend;
  }

  async write(): Promise<void> {
    await this.#fleet();
    await this.#adoption();
    await this.#typed();
    await this.#rotation();
    await this.#deletion();
  }

  /** Hosts that share a secret, one with its own from a pairing, one that is locked out. */
  async #fleet(): Promise<void> {
    const { api } = this.#backend;
    const limits = {
      max_clients: 20,
      cidrs: ["127.0.0.0/8"],
      expires_at: "2099-01-01T00:00:00Z",
      joins_per_minute: 30,
    };
    const fleet = { id: "fleet", label: "Web servers", limits };
    const { password } = await api.call("createCredential", { body: fleet });
    const waiting = { id: "waiting", kind: "host", limits: { approval: true } } as const;
    await api.call("createCredential", { body: waiting });
    for (const name of ["shared", "revoked", "renamed"] as const) this.secrets[name] = password;
    await this.#visit("shared");
    this.secrets.paired = await this.#claimed();
    await this.#visit("paired", async () => {
      const params = { clientId: "paired" };
      const query = { remote: "22", check_port: "0", acl: "127.0.0.0/8", name: "shell" };
      const { lport } = await api.call("createTunnel", { params, query });
      this.tunnelPort = lport;
    });
    await this.#visit("revoked");
    await api.call("revokeClient", { params: { clientId: "revoked" } });
  }

  /** The secret of a pairing, claimed as an installer does. */
  async #claimed(): Promise<string> {
    const { api, endpoint } = this.#backend;
    const { token } = await api.call("createPairing", { body: { credential_id: "fleet" } });
    const { secret } = await claimPairing({
      pins: [],
      service: new URL(endpoint.url),
      parts: tokenParts(pairingTokenSchema.parse(token)),
      clientId: "paired",
      hostname: "paired.example",
      clock: SYSTEM_CLOCK,
    });
    return secret;
  }

  /** A host that came back under another id and was told to be the same. */
  async #adoption(): Promise<void> {
    const { api, endpoint } = this.#backend;
    const secret = this.secrets.renamed;
    const before = { url: endpoint.url.replace(/^http/, "ws"), user: "fleet", password: secret };
    const introduction = { ID: "old-id", Name: "db-01", Tags: ["db"], Labels: { site: "berlin" } };
    await leave(await PeerAgent.join({ ...before, introduction }));
    await this.#visit("renamed", async () => {
      await this.#isAway("old-id");
      await api.call("adoptClient", { params: { clientId: "renamed" }, body: { from: "old-id" } });
    });
  }

  /** A password that a person typed. */
  async #typed(): Promise<void> {
    const password = "a password from long ago";
    await this.#backend.api.call("createCredential", { body: { id: "typed", password } });
    this.secrets.typed = password;
    await this.#visit("typed");
  }

  /** One host has its new secret, the other one was away. */
  async #rotation(): Promise<void> {
    const { api } = this.#backend;
    const { password } = await api.call("createCredential", { body: { id: "rotating" } });
    this.secrets.moved = password;
    this.secrets.away = password;
    await this.#visit("away");
    await this.#visit("moved", async () => {
      const params = { authId: "rotating" };
      await api.call("rotateCredential", { params, body: { grace_seconds: null } });
      await eventually(async () => {
        const { rotation } = await api.call("getRotation", { params });
        if (rotation?.moved !== 1) throw new Error("nobody has moved");
      });
    });
  }

  /** A credential that was deleted; its host is still on record. */
  async #deletion(): Promise<void> {
    const { api } = this.#backend;
    const { password } = await api.call("createCredential", { body: { id: "gone" } });
    this.secrets.orphan = password;
    await this.#visit("orphan");
    const query = { force: "true" };
    await api.call("deleteCredential", { params: { authId: "gone" }, query });
  }

  /** Connects a host, does something meanwhile, and waits until the server has seen it leave. */
  async #visit(name: HostName, meanwhile: () => Promise<void> = async () => {}): Promise<void> {
    const { url, fingerprint } = this.#backend.endpoint;
    const agent = await joinAs({
      server: { url, fingerprint },
      name,
      secret: this.secrets[name],
      hostKey,
      onSecret: (secret) => {
        this.secrets[name] = secret;
      },
    });
    await meanwhile();
    await leave(agent);
    await this.#isAway(name);
  }

  async #isAway(clientId: string): Promise<void> {
    await eventually(async () => {
      const client = await this.#backend.api.call("getClient", { params: { clientId } });
      if (client.connection_state === "connected") throw new Error(`${clientId} is still there`);
    });
  }
}

async function leave(agent: PeerAgent): Promise<void> {
  agent.close();
  await agent.closed;
}

/** Answers to a GET of all paths, as they came. */
async function answersOf({ api }: SpawnedBackend): Promise<Record<string, unknown>> {
  const answers: Record<string, unknown> = {};
  for (const path of PATHS) {
    const { status, body } = await api.raw("GET", path);
    if (status !== 200) throw new Error(`${path} is answered with ${status}`);
    answers[path] = body;
  }
  return answers;
}

async function stop(backend: SpawnedBackend): Promise<void> {
  backend.signal("SIGTERM");
  const { code, stderr } = await backend.ended;
  if (code !== 0) throw new Error(`it did not stop cleanly: ${stderr}`);
}

async function writeRelease(checkout: string, folder: string): Promise<void> {
  const main = join(checkout, "backend/src/main.ts");
  const dataDir = join(folder, "data");
  await rm(folder, { recursive: true, force: true });
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const config = join(folder, "rport-backend.toml");
  const { from, to } = TUNNEL_PORTS;
  await writeFile(config, `[server]\nused_ports = "${from}-${to}"\n`);
  const start = () => spawnBackend(dataDir, ["--config", config], { main });
  await using first = await start();
  const scene = new Scene(first);
  await scene.write();
  await stop(first);
  await using second = await start();
  const answers = await answersOf(second);
  const { fingerprint } = second.endpoint;
  await stop(second);
  await rm(config);
  const { version } = JSON.parse(await readFile(join(checkout, "package.json"), "utf8"));
  const { secrets, tunnelPort } = scene;
  const known: Known = {
    version,
    stoppedAt: new Date().toISOString(),
    fingerprint,
    secrets,
    hostKey,
    tunnelPort,
    answers,
  };
  await writeFile(join(folder, "known.json"), `${JSON.stringify(known, null, 1)}\n`);
}

const { positionals } = parseArgs({ allowPositionals: true });
const [checkout, folder] = positionals.map((path) => resolve(path));
if (checkout === undefined || folder === undefined) throw new Error("CHECKOUT and FOLDER, please");
await writeRelease(checkout, folder);
