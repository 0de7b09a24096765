import { beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { Guide } from "../support/guide.ts";
import { backendArchive } from "../support/installer/checkout.ts";
import { textOf } from "../support/repository.ts";
import { whyNoSystemd } from "../support/systemd/available.ts";
import { answers, expectConfined, follow } from "../support/systemd/followed.ts";
import { bootSystemd, type System } from "../support/systemd/system.ts";
import { type TestCertificate, testCertificate } from "../support/tls/testCertificate.ts";

const BACKEND = "The backend as a service";
const PAIRING = "A pairing service apart from servers";
const DEADLINE_MS = 20_000;

describe("docs/install.md, followed as it is written", () => {
  let guide: Guide;
  let archive: Buffer;

  beforeAll(async () => {
    if (whyNoSystemd() !== undefined) return;
    guide = await Guide.read("install.md", {
      "npm start --silent --": "node_modules/.bin/node backend/src/main.ts",
    });
    archive = await backendArchive();
  });

  test("a backend and a pairing service run as services, confined, and come back", async (ctx) => {
    ctx.skip(whyNoSystemd() !== undefined, whyNoSystemd());
    await using system = await bootSystemd({ shareNetwork: false });
    await system.exec("ip", ["link", "set", "lo", "up"]);
    // In place of the first block: there is nothing to clone or to fetch from inside.
    const unpacking = "mkdir -p /opt/rport && tar -xf - -C /opt/rport --no-same-owner";
    expect(await system.exec("sh", ["-c", unpacking], { input: archive })).toMatchObject({
      code: 0,
    });
    await follow(system, guide.script(BACKEND, 2));
    await follow(system, guide.script(BACKEND, 3));
    await follow(system, guide.script(PAIRING, 1));
    await answers(system, "http://127.0.0.1:8080/healthz");
    await answers(system, "http://127.0.0.1:8090/healthz");
    for (const name of ["rport-backend", "rport-pairing"]) {
      await expectConfined(system, name, "/opt/rport");
    }

    const made = await follow(system, guide.script(BACKEND, 4), "a good password 1234\n".repeat(2));
    expect(made).toContain("NAME");

    await system.exec("systemctl", ["kill", "--signal=KILL", "rport-backend.service"]);
    await eventually(async () => expect(await state(system, "NRestarts")).toBe("1"), DEADLINE_MS);
    await answers(system, "http://127.0.0.1:8080/healthz");
    await system.exec("systemctl", ["reload", "rport-backend.service"]);
    expect(await state(system, "NRestarts")).toBe("1");
    await system.reboot();
    await answers(system, "http://127.0.0.1:8090/healthz");
  });

  test("S-41: a backend as a service speaks TLS by what certbot renews", async (ctx) => {
    ctx.skip(whyNoSystemd() !== undefined, whyNoSystemd());
    await using system = await bootSystemd({ shareNetwork: false });
    await system.exec("ip", ["link", "set", "lo", "up"]);
    const unpacking = "mkdir -p /opt/rport && tar -xf - -C /opt/rport --no-same-owner";
    await system.exec("sh", ["-c", unpacking], { input: archive });
    await follow(system, guide.script(BACKEND, 2));
    await putLineage(system, testCertificate());
    await follow(system, guide.script(BACKEND, 5));
    await follow(system, guide.script(BACKEND, 6));
    const page = textOf("docs/install.md");
    const [, toml = ""] = /```toml\n([\s\S]*?)```/.exec(page) ?? [];
    expect(toml).toContain("cert_file");
    await system.exec("tee", ["/etc/rport-backend/rportd.toml"], { input: toml });
    await follow(system, guide.script(BACKEND, 7));
    const byTls = ["--cacert", `${LINEAGE}/fullchain.pem`, "https://localhost:8443/healthz"];
    await answers(system, ...byTls);

    await putLineage(system, testCertificate());
    // The new one is not in use yet.
    expect((await system.exec("curl", ["-fsS", ...byTls])).code).toBe(60);
    await follow(system, guide.script(BACKEND, 6));
    await answers(system, ...byTls);
    expect(await state(system, "NRestarts")).toBe("0");

    const own = '[server]\naddress = "0.0.0.0:8443"\ntls = "self-signed"\n';
    await system.exec("tee", ["/etc/rport-backend/rportd.toml"], { input: own });
    await follow(system, guide.script(BACKEND, 7));
    await answers(system, "-k", "https://localhost:8443/healthz");
    const [pin = ""] = (await follow(system, guide.script(BACKEND, 8))).split("\n");
    await answers(system, "-k", "--pinnedpubkey", pin, "https://localhost:8443/healthz");
  });
});

/** Where certbot keeps a certificate. */
const LINEAGE = "/etc/letsencrypt/live/rport.example.com";

async function putLineage(system: System, { certificate, key }: TestCertificate): Promise<void> {
  await system.exec("install", ["-d", LINEAGE]);
  await system.exec("tee", [`${LINEAGE}/fullchain.pem`], { input: certificate });
  await system.exec("tee", [`${LINEAGE}/privkey.pem`], { input: key });
}

async function state(system: System, property: string): Promise<string> {
  const args = ["show", "--value", `--property=${property}`, "rport-backend.service"];
  return (await system.exec("systemctl", args)).stdout.trim();
}
