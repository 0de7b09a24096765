import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import {
  environmentOf,
  instructionsOf,
  programOf,
  type Stage,
  stagesOf,
  valuesOf,
} from "../support/docker/dockerfile.ts";
import { eventually } from "../support/eventually.ts";
import { npmArchives } from "../support/installer/npmPackages.ts";
import { ROOT, textOf } from "../support/repository.ts";
import { whyNoSystemd } from "../support/systemd/available.ts";
import { answers } from "../support/systemd/followed.ts";
import { ensureRootfs } from "../support/systemd/rootfs.ts";
import { bootSystemd, type System } from "../support/systemd/system.ts";

const FIRST_BUILD_MS = 800_000;
const DEADLINE_MS = 20_000;
const DOCKERFILE = "packaging/docker/Dockerfile";
const HEALTH = "http://127.0.0.1:8080/healthz";
const PASSWORD = "a good password 1234\n";

const reason = whyNoSystemd();

describe("the Dockerfile of the backend", () => {
  const stages = stagesOf(DOCKERFILE);
  const backend = instructionsOf(stages, "backend");
  const pairing = instructionsOf(stages, "pairing");

  beforeAll(async () => {
    await npmArchives();
    if (reason === undefined) await ensureRootfs();
  }, FIRST_BUILD_MS);

  test("copies what npm run package -- --npm makes, and sees nothing else", () => {
    const sources = stages.flatMap(copiedFromHere);
    expect(sources).toEqual(["dist/npm/*.tgz"]);
    expect(textOf(`${DOCKERFILE}.dockerignore`)).toBe("*\n!dist/npm/*.tgz\n");
    const found = sources.flatMap((pattern) => globSync(pattern, { cwd: ROOT }));
    expect(found.map((path) => basename(path))).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^rport-backend-\d/),
        expect.stringMatching(/^rport-agent-linux-x64-\d/),
      ]),
    );
  });

  test("builds the backend when nothing else is asked for, as a user who is not root", () => {
    expect(stages.at(-1)?.name).toBe("backend");
    expect(stages.map(({ from }) => from)).toContain("node:24-bookworm-slim");
    for (const image of [backend, pairing]) {
      expect(valuesOf(image, "USER")).toEqual(["rport"]);
      expect(valuesOf(image, "STOPSIGNAL")).toEqual(["SIGTERM"]);
      expect(valuesOf(image, "EXPOSE")).toEqual(["8080"]);
    }
    expect(valuesOf(backend, "VOLUME")).toEqual([environmentOf(backend).RPORT_SERVER_DATA_DIR]);
    expect(valuesOf(pairing, "VOLUME")).toEqual([]);
  });

  test("makes of a Debian with Node what runs, is asked how it is, and stops in order", async (ctx) => {
    ctx.skip(reason !== undefined, reason);
    await using system = await build(stages);
    const directory = environmentOf(backend).RPORT_SERVER_DATA_DIR ?? "";
    // No secret is part of an image: they are made by the first start.
    expect((await system.exec("ls", ["-A", directory])).stdout).toBe("");
    const writable = ["find", "/opt/rport-backend", "-writable", "-not", "-type", "l"];
    expect(await asUser(system, writable)).toMatchObject({ code: 0, stdout: "" });
    const check = () => asUser(system, programOf(backend, "HEALTHCHECK"));
    expect(await check()).toMatchObject({ code: 1 });

    const first = await start(system, backend);
    await answers(system, HEALTH);
    expect(await check()).toMatchObject({ code: 0 });
    const add = ["rport-backend", "user", "add", "NAME", "--administrator"];
    const env = environmentOf(backend);
    expect(await asUser(system, add, { env, input: PASSWORD })).toMatchObject({ code: 0 });
    await first.stop();
    expect(await first.log()).toContain('"stopping","signal":"SIGTERM"');
    expect(await check()).toMatchObject({ code: 1 });

    const second = await start(system, backend);
    await answers(system, HEALTH);
    const prints = [await first.log(), await second.log()].map(
      (log) => /Fingerprint +(\S+)/.exec(log)?.[1],
    );
    expect(prints[0]).toMatch(/^SHA256:/);
    expect(prints[1]).toBe(prints[0]);
    await second.stop();

    const service = await start(system, pairing);
    await answers(system, HEALTH);
    await service.stop();
    expect(await service.log()).toContain("RPort pairing service");
  });
});

/** What a stage copies that is not another one's. */
function copiedFromHere({ instructions }: Stage): readonly string[] {
  const words = valuesOf(instructions, "COPY").map((value) => value.split(/ +/));
  return words
    .filter(([first = ""]) => !first.startsWith("--from="))
    .flatMap((w) => w.slice(0, -1));
}

/** A Debian that has Node, in which the files are put and the commands run; stages share it. */
async function build(stages: readonly Stage[]): Promise<System> {
  const system = await bootSystemd({ shareNetwork: false });
  await system.writeFile("/usr/local/bin/node", await readFile(process.execPath), "0755");
  for (const path of await npmArchives()) {
    await system.writeFile(`/archives/${basename(path)}`, await readFile(path));
  }
  for (const { instructions } of stages) {
    for (const command of valuesOf(instructions, "RUN")) {
      const { code, stderr } = await system.exec("sh", ["-c", command]);
      expect({ command, code, stderr }).toMatchObject({ code: 0 });
    }
  }
  return system;
}

function asUser(
  system: System,
  words: readonly string[],
  { env = {}, input = "" }: { env?: Record<string, string>; input?: string } = {},
) {
  const account = ["--reuid=rport", "--regid=rport", "--clear-groups", "--"];
  return system.exec("setpriv", [...account, ...words], { env, input, timeoutMs: DEADLINE_MS });
}

/** What an image starts, until it is stopped as Docker does. */
async function start(system: System, image: ReturnType<typeof instructionsOf>) {
  const words = programOf(image, "ENTRYPOINT");
  const log = `/tmp/log-${Math.random().toString(36).slice(2)}`;
  const account = "setsid setpriv --reuid=rport --regid=rport --clear-groups --";
  const script = `${account} "$@" </dev/null >${log} 2>&1 & echo $!`;
  const { stdout } = await system.exec("sh", ["-c", script, "sh", ...words], {
    env: environmentOf(image),
  });
  const pid = stdout.trim();
  return {
    log: () => system.readFile(log),
    async stop() {
      const sent = await system.exec("sh", ["-c", `kill -TERM ${pid}`]);
      expect(sent).toMatchObject({ code: 0 });
      await eventually(
        async () => expect(await system.exists(`/proc/${pid}/exe`)).toBe(false),
        DEADLINE_MS,
      );
    },
  };
}
