import { beforeEach, describe, expect, it, vi } from "vitest";
import { createFleet } from "../../../extension/src/servers/createFleet.ts";
import { ServerSettings } from "../../../extension/src/servers/settings.ts";
import { Tokens } from "../../../extension/src/servers/tokens.ts";
import { Authorities } from "../../../extension/src/servers/trust/authorities.ts";
import { createLog } from "../../../extension/src/support/log.ts";
import { Redactor } from "../../../extension/src/support/redact.ts";
import { LocalTunnels } from "../../../extension/src/tunnels/localTunnels.ts";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { snapshot } from "./entities.ts";
import { FakeServer } from "./fakeServer.ts";
import { personSettings } from "./fakeSettings.ts";
import { silentLog } from "./serverFixture.ts";

vi.mock("vscode", async () => (await import("./fakeSettings.ts")).personSettings.module());

const A = "https://a.example";
const B = "https://b.example";
const C = "https://c.example";
/** Entries that the editor cannot use, or of which it knows not everything. */
const WRITTEN = [
  { url: `${A}/`, note: "of the team" },
  { url: B, name: "B" },
  { url: C, tlsPin: "x" },
  "nonsense",
] as const;

let settings: ServerSettings;

beforeEach(() => {
  personSettings.slowness = Promise.resolve();
  personSettings.failure = undefined;
  personSettings.said.length = 0;
  personSettings.set("servers", WRITTEN);
  settings = new ServerSettings();
});

const written = () => personSettings.get("servers");

/** A server that shows a key. */
async function showing(fingerprint: string): Promise<FakeServer> {
  const fake = await FakeServer.start();
  const { server } = snapshot();
  fake.greeting = snapshot({ server: { ...server, fingerprint_sha256: fingerprint } });
  return fake;
}

/** The servers of the setting in a window that is signed in to all of them. */
function windowOf() {
  const lines: string[] = [];
  const redactor = new Redactor();
  const write = (line: string) => void lines.push(line);
  const log = createLog({ debug: write, info: write, warn: write, error: write }, redactor);
  const kept = JSON.stringify({ token: "good-token", made: true });
  const store = { get: async () => kept, store: async () => {}, delete: async () => {} };
  const access = async () => ({ kind: "noToken" }) as const;
  const fleet = createFleet({
    log,
    redactor,
    settings,
    tokens: new Tokens({ store, redactor }),
    tunnels: new LocalTunnels({ accessTo: () => access, clock: new FakeClock(), log: silentLog }),
    trust: { authorities: new Authorities({ setting: () => "", homeDirectory: "/" }), fetch },
  });
  fleet.configure(settings.read());
  return { fleet, lines, [Symbol.dispose]: () => fleet.dispose() };
}

describe("the keys of servers", () => {
  it("that are shown at the same time are all remembered, and nothing else changes", async () => {
    await using a = await showing("SHA256:of-a");
    await using b = await showing("SHA256:of-b");
    const broken = { url: C, tlsPin: "x" };
    personSettings.set("servers", [{ url: a.url }, { url: b.url }, broken]);
    const { promise, resolve } = Promise.withResolvers<void>();
    personSettings.slowness = promise;
    using window = windowOf();
    const shown = () => window.fleet.servers.map(({ fingerprint }) => fingerprint);
    await eventually(() => expect(shown()).toEqual(["SHA256:of-a", "SHA256:of-b"]));
    resolve();
    const remembered = [
      { url: a.url, fingerprint: "SHA256:of-a" },
      { url: b.url, fingerprint: "SHA256:of-b" },
      broken,
    ];
    await eventually(() => expect(written()).toEqual(remembered));
  });

  it("that the editor does not write are told of, and those after them are written", async () => {
    await using a = await showing("SHA256:of-a");
    personSettings.set("servers", [{ url: a.url }]);
    personSettings.failure = new Error("The file has unsaved changes.");
    using window = windowOf();
    await eventually(() => expect(personSettings.said).toHaveLength(1));
    expect(personSettings.said[0]).toMatch(/^The key of 127\.0\.0\.1:.* is not remembered/);
    expect(personSettings.said[0]).toContain("The file has unsaved changes.");
    expect(window.lines.join("\n")).toContain("the key of a server cannot be remembered");
    personSettings.failure = undefined;
    window.fleet.get(a.url)?.acceptFingerprint("SHA256:of-a-anew");
    const anew = [{ url: a.url, fingerprint: "SHA256:of-a-anew" }];
    await eventually(() => expect(written()).toEqual(anew));
  });
});

describe("a change of the setting of servers", () => {
  const [first, second, ...others] = WRITTEN;

  it("leaves entries that it is not about, and members that it does not know, as they stand", async () => {
    await settings.edit(A, { name: "Relay" });
    await settings.put({ name: "B2", url: B, fingerprint: "SHA256:b" });
    expect(written()).toEqual([
      { ...first, name: "Relay" },
      { url: B, name: "B2", fingerprint: "SHA256:b" },
      ...others,
    ]);
    await settings.remove(A);
    expect(written()).toEqual([{ url: B, name: "B2", fingerprint: "SHA256:b" }, ...others]);
  });

  it("begins with what the one before it has made", async () => {
    const added = { name: "D", url: "https://d.example", fingerprint: "" };
    await Promise.all([settings.add(added), settings.add(added), settings.remove(A)]);
    expect(written()).toEqual([second, ...others, { name: "D", url: "https://d.example" }]);
  });

  it("does not bring a server back that was removed, and writes nothing that stands there", async () => {
    await settings.remove(A);
    const before = personSettings.updates;
    await settings.edit(A, { fingerprint: "SHA256:late" });
    await settings.edit(B, { name: "B" });
    expect(personSettings.updates).toBe(before);
    expect(written()).toEqual([second, ...others]);
  });

  it("is refused where no more entries are read, and where the setting is no list", async () => {
    const added = { name: "D", url: "https://d.example", fingerprint: "" };
    const full: object[] = Array.from({ length: 60 }, (_, n) => ({
      url: `https://host-${n}.example`,
    }));
    personSettings.set("servers", full);
    await expect(settings.put(added)).rejects.toThrow("No more than 50 entries");
    await settings.edit("https://host-1.example", { name: "One" });
    expect(written()).toEqual(full.with(1, { url: "https://host-1.example", name: "One" }));
    personSettings.set("servers", { url: A });
    await expect(settings.add(added)).rejects.toThrow("is not a list");
    expect(written()).toEqual({ url: A });
  });
});
