import { once } from "node:events";
import { chmod, mkdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { connect as connectPlain } from "node:net";
import { join } from "node:path";
import { connect } from "node:tls";
import { peerPinOf } from "@rport/protocol/tls/peerPin";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import { describe, expect, it, onTestFinished } from "vitest";
import { Certificates } from "../../../backend/src/tls/certificates.ts";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { spawnBackend } from "../../support/backend/spawnBackend.ts";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { testLog } from "../../support/log.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";
import {
  type TestCertificate,
  testCertificate,
  trusting,
  writeCertificate,
} from "../../support/tls/testCertificate.ts";
import { startTlsBackend } from "../../support/tls/tlsBackend.ts";
import { tcpServer } from "../../support/wire/wireTunnel.ts";

const DAY_MS = 86_400_000;
/** A second of quiet, and what two busy cores make of it. */
const PROMPT_MS = 20_000;
const PATIENT = { timeout: 60_000 };

/** What a new connection is shown. */
async function shownAt(port: number): Promise<TlsPin | undefined> {
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const pin = peerPinOf(socket);
  socket.destroy();
  return pin;
}

describe("S-41: a certificate that is renewed", () => {
  it(
    "is shown to new connections at once, while those that are open go on under load",
    PATIENT,
    async () => {
      const second = testCertificate();
      await using backend = await startTlsBackend();
      using _ = trusting(backend.first, second);
      await using target = await tcpServer((socket) => socket.pipe(socket));
      const password = await makeFleet({ call: backend.api });
      await using agent = await PeerAgent.join({
        url: backend.url.replace("https", "wss"),
        user: FLEET,
        password,
        introduction: { ID: "machine-1" },
      });
      const tunnel = await backend.api("createTunnel", {
        params: { clientId: "machine-1" },
        query: { remote: String(target.port) },
      });
      const socket = connectPlain(Number(tunnel.lport), "127.0.0.1");
      let echoed = 0;
      socket.on("data", (chunk: Buffer) => {
        echoed += chunk.length;
      });
      await once(socket, "connect");
      using events = backend.events();
      await events.snapshot();
      const requests = Array.from({ length: 200 }, async (_one, n) => {
        if (n === 50) await backend.put(second);
        socket.write("y".repeat(10_000));
        return (await fetch(`${backend.url}/healthz`, { headers: { Connection: "close" } })).status;
      });
      expect(new Set(await Promise.all(requests))).toEqual(new Set([200]));
      await eventually(async () => expect(await shownAt(backend.port)).toBe(second.pin), PROMPT_MS);
      await eventually(() => expect(echoed).toBe(2_000_000));
      expect((await agent.ask("ping")).ok).toBe(true);
      expect(events.socket.readyState).toBe(events.socket.OPEN);
      socket.destroy();
      const [view] = (await backend.api("getStatus")).certificates ?? [];
      expect(view?.pin).toBe(second.pin);
      await eventually(async () => {
        const text = await readFile(join(backend.dataDir, "endpoint.json"), "utf8");
        expect(JSON.parse(text)).toMatchObject({ tlsPin: second.pin });
      });
    },
  );

  it.each<[string, () => Partial<TestCertificate>, string]>([
    [
      "of another key",
      () => ({ certificate: testCertificate().certificate }),
      "the key is not the one",
    ],
    ["that has expired", () => testCertificate({ fromDays: -30, toDays: -1 }), "has expired at"],
    ["that is not valid yet", () => testCertificate({ fromDays: 2 }), "is not valid before"],
    [
      "that is none",
      () => ({ certificate: "-----BEGIN CERTIFICATE-----\n" }),
      "there is no certificate in PEM",
    ],
  ])(
    "is not used when it is one %s: the log says why, and the one before stays",
    async (_what, make, why) => {
      await using backend = await startTlsBackend();
      await backend.put({ ...backend.first, ...make() });
      const line = await backend.logged((one) => one.includes("the new certificate is not used"));
      expect(line).toContain(why);
      expect(line).toContain('"level":"error"');
      expect(await shownAt(backend.port)).toBe(backend.first.pin);
      const third = testCertificate();
      await backend.put(third);
      await eventually(async () => expect(await shownAt(backend.port)).toBe(third.pin), PROMPT_MS);
    },
  );

  it("is noticed where a link is turned, as certbot does", async () => {
    await using directory = await tempDirectory();
    const at = (name: string): string => join(directory.path, name);
    const [one, two] = [testCertificate(), testCertificate()];
    for (const [name, pair] of [
      ["archive1", one],
      ["archive2", two],
    ] as const) {
      await mkdir(at(name));
      await writeCertificate(at(name), pair);
    }
    await mkdir(at("live"));
    for (const name of ["server.crt", "server.key"])
      await symlink(join("..", "archive1", name), at(`live/${name}`));
    const tls = {
      kind: "files",
      certFile: at("live/server.crt"),
      keyFile: at("live/server.key"),
      section: "server",
      oldest: "TLSv1.2",
    } as const;
    const faces = new Set(["agents", "users", "pairing"] as const);
    await using backend = await startTlsBackend({
      places: [{ host: "127.0.0.1", port: 0, faces, tls }],
    });
    expect(await shownAt(backend.port)).toBe(one.pin);
    for (const name of ["server.key", "server.crt"]) {
      await symlink(join("..", "archive2", name), at(`live/${name}.new`));
      await rename(at(`live/${name}.new`), at(`live/${name}`));
    }
    await eventually(async () => expect(await shownAt(backend.port)).toBe(two.pin), PROMPT_MS);
  });

  it("is looked at when SIGHUP comes, also where it was put right in place", PATIENT, async () => {
    await using directory = await tempDirectory();
    const [one, two] = [testCertificate(), testCertificate()];
    const { certFile, keyFile } = await writeCertificate(directory.path, one);
    await using backend = await spawnBackend(join(directory.path, "data"), [], {
      environment: { RPORT_SERVER_CERT_FILE: certFile, RPORT_SERVER_KEY_FILE: keyFile },
    });
    const port = Number(new URL(backend.endpoint.url).port);
    await writeCertificate(directory.path, two);
    await chmod(keyFile, 0o644);
    backend.signal("SIGHUP");
    await eventually(() => expect(backend.stderr()).toContain("others may read it"));
    expect(await shownAt(port)).toBe(one.pin);
    await chmod(keyFile, 0o600);
    backend.signal("SIGHUP");
    await eventually(async () => expect(await shownAt(port)).toBe(two.pin));
    await rm(certFile);
    backend.signal("SIGHUP");
    await eventually(() => expect(backend.stderr()).toContain("ENOENT"));
    expect(await shownAt(port)).toBe(two.pin);
  });

  it("is asked for in the log from fourteen days before, each day", async () => {
    const clock = new FakeClock(Date.now());
    await using directory = await tempDirectory();
    const files = await writeCertificate(directory.path, testCertificate({ toDays: 15.5 }));
    const { log, lines } = testLog();
    const asked = { ...files, section: "server", isOwn: false } as const;
    const certificates = new Certificates({ files: asked, clock, log });
    onTestFinished(() => certificates.close());
    const warned = () => lines.filter((line) => line.includes("the certificate expires soon"));
    clock.advance(DAY_MS);
    expect(warned()).toHaveLength(0);
    clock.advance(DAY_MS);
    expect(warned().at(-1)).toContain('"days":13');
    clock.advance(DAY_MS);
    expect(warned().at(-1)).toContain('"days":12');
    clock.advance(13 * DAY_MS);
    expect(lines.at(-1)).toContain("who checks the certificate refuses it");
  });
});
