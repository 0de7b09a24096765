import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ClientId } from "@rport/protocol/ids";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { eventually } from "../support/eventually.ts";
import { newPairing } from "../support/installer/pairing.ts";
import { type RealRelease, realRelease } from "../support/installer/realRelease.ts";
import { SERVICE_KEY, startPairingService } from "../support/pairing/pairingService.ts";
import { whyNoSystemd } from "../support/systemd/available.ts";
import { ensureRootfs } from "../support/systemd/rootfs.ts";
import { bootSystemd, type System } from "../support/systemd/system.ts";
import { tempDirectory } from "../support/tempDirectory.ts";

const FIRST_BUILD_MS = 800_000;
const AGENT = fileURLToPath(new URL("../../agent/", import.meta.url));
const ENTRY = "/usr/local/bin/docker-entrypoint.sh";
const RUN_MS = 30_000;

const reason = whyNoSystemd();

describe.skipIf(reason !== undefined)("the agent in a container", () => {
  let release: RealRelease;
  let backend: RunningBackend;

  beforeAll(async () => {
    await ensureRootfs("sysv");
    release = await realRelease();
    backend = await startBackend({});
  }, FIRST_BUILD_MS);
  afterAll(async () => {
    await backend?.[Symbol.asyncDispose]();
    await release?.[Symbol.asyncDispose]();
  });

  /** What the Dockerfile makes of a Debian: its two files, its account and its folder. */
  const createContainer = async () => {
    const system = await bootSystemd({ shareNetwork: true, init: "sysv" });
    const program = await readFile(join(release.directory, "rport-agent-linux-x64"));
    await system.writeFile("/usr/local/bin/rport-agent", program, "0755");
    await system.writeFile(ENTRY, await readFile(join(AGENT, "docker-entrypoint.sh")), "0755");
    const dockerfile = await readFile(join(AGENT, "Dockerfile"), "utf8");
    for (const command of [/useradd .*rport$/m, /install -d .*\/var\/lib\/rport$/m]) {
      const [line = ""] = command.exec(dockerfile.replaceAll(" \\\n", "\n")) ?? [];
      expect(await system.exec("sh", ["-ec", line])).toMatchObject({ code: 0 });
    }
    return system;
  };
  const clients = () => backend.api("listClients");
  const connected = async () => {
    const list = await clients();
    const ids = list.map(({ id }) => id as ClientId);
    const all = ids.map((clientId) => backend.api("getClient", { params: { clientId } }));
    const states = await Promise.all(all);
    return states.filter(({ connection_state }) => connection_state === "connected");
  };

  test("is enrolled once, from the environment, and is the same host in the next container", async () => {
    await using system = await createContainer();
    const without = await entry(system, {});
    expect(without).toMatchObject({ code: 2, stderr: expect.stringContaining("RPORT_SERVER") });

    const { token } = await newPairing(backend);
    const variables = { RPORT_SERVER: backend.url, RPORT_TOKEN: token, RPORT_NAME: "in-a-box" };
    await using first = await started(system, variables);
    await eventually(
      async () => expect(await connected()).toMatchObject([{ name: "in-a-box" }]),
      RUN_MS,
    );
    const seen = await system.exec("sh", ["-c", "cat /proc/[0-9]*/cmdline /proc/1/environ"]);
    expect(seen.stdout).not.toContain(token);
    const environment = await system.exec("sh", [
      "-c",
      'cat "$(dirname "$(grep -lsz "^run$" /proc/[0-9]*/cmdline)")/environ"',
    ]);
    expect(environment.stdout).toContain("PATH=");
    expect(environment.stdout).not.toContain(token);
    await first.stop();
    await eventually(async () => expect(await connected()).toEqual([]), RUN_MS);

    await using _second = await started(system, {});
    await eventually(async () => expect(await connected()).toHaveLength(1), RUN_MS);
    expect(await clients()).toHaveLength(1);
  });

  test("claims at a pairing service apart from the server, by the line that is offered then", async () => {
    await using service = await startPairingService();
    await using temp = await tempDirectory();
    const keyFile = join(temp.path, "key");
    await writeFile(keyFile, SERVICE_KEY, { mode: 0o600 });
    const elsewhere = { url: service.url, service: "sealed", keyFile } as const;
    const pairing = { ttlS: 600, elsewhere };
    await using sealed = await startBackend({ agentFiles: release.directory, pairing });
    await using system = await createContainer();
    await system.writeFile("/usr/local/bin/docker", DOCKER, "0755");
    const { commands } = await newPairing(sealed);
    const line = commands.find(({ platform }) => platform === "docker")?.text ?? "";
    expect(line).toContain(service.url);
    expect(await system.exec("sh", ["-c", line])).toMatchObject({ code: 0, stderr: "" });
    await eventually(async () => {
      const [client] = await sealed.api("listClients");
      expect(client?.id, await system.readFile("/tmp/log")).toBeDefined();
    }, RUN_MS);
  });

  test("takes its token from standard input, and does not start with one that is wrong", async () => {
    await using system = await createContainer();
    const wrong = { RPORT_SERVER: backend.url, RPORT_TOKEN: "0123456789ABCDEFGHJKMNPQRS" };
    expect(await entry(system, wrong)).toMatchObject({ code: 4 });
    expect((await system.exec("ls", ["/var/lib/rport"])).stdout).toBe("");
    const { token } = await newPairing(backend);
    await using _agent = await started(system, { RPORT_SERVER: backend.url }, token);
    await eventually(async () => expect(await connected()).toHaveLength(1), RUN_MS);
  });
});

/** Runs what the line runs, as the image does: the variables, the account, the entry point. */
const DOCKER = `#!/bin/sh
while [ $# -gt 1 ]; do
  case $1 in
    -e) export "$2"; shift 2 ;;
    --env-file) set -a; . "$2"; set +a; shift 2 ;;
    *) shift ;;
  esac
done
cd /
setsid setpriv --reuid=rport --regid=rport --clear-groups -- ${ENTRY} </dev/null >/tmp/log 2>&1 &
`;

const AS_RPORT = ["--reuid=rport", "--regid=rport", "--clear-groups", "--", ENTRY];

function entry(system: System, env: Record<string, string>, input = "") {
  return system.exec("setpriv", AS_RPORT, { env, input, timeoutMs: RUN_MS });
}

/** A container that runs until it is stopped. */
async function started(system: System, env: Record<string, string>, input = "") {
  const script = `cat >/tmp/token; setsid setpriv ${AS_RPORT.join(" ")} </tmp/token >/tmp/log 2>&1 &`;
  await system.exec("sh", ["-c", script], { env, input });
  const stop = async () => {
    await system.exec("sh", [
      "-c",
      "kill -TERM $(grep -lsz '^run$' /proc/[0-9]*/cmdline | cut -d/ -f3)",
    ]);
  };
  return { stop, [Symbol.asyncDispose]: stop };
}
