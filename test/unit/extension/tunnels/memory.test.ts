import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Log } from "../../../../extension/src/support/log.ts";
import { MemoryFile } from "../../../../extension/src/tunnels/memory/memoryFile.ts";
import {
  memoryText,
  parseMemory,
  RECORDS_MAX,
  recentTargets,
  type TunnelRecord,
  withRecord,
} from "../../../../extension/src/tunnels/memory/record.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";
import { silentLog } from "../serverFixture.ts";

function record(n: number, parts: Partial<TunnelRecord> = {}): TunnelRecord {
  return {
    id: n.toString(16).padStart(16, "0"),
    serverKey: "https://relay.example.com",
    clientId: "machine-1",
    clientName: "web-01",
    remote: { host: "127.0.0.1", port: 5432 },
    localPort: 15_432,
    workspace: "",
    isThisComputer: false,
    isWanted: true,
    usedAtMs: n,
    ...parts,
  };
}

const many = Array.from({ length: RECORDS_MAX }, (_, n) => record(n + 1));

describe("what is remembered of tunnels", () => {
  it("is read as it was written", () => {
    const records = [record(1), record(2, { isWanted: false, workspace: "f00" })];
    expect(parseMemory(memoryText(records))).toEqual({ kind: "records", records });
  });

  it("tells where tunnels to a client led, each place once, the latest first", () => {
    const to = (port: number) => ({ remote: { host: "127.0.0.1", port } });
    const records = [
      record(1, to(22)),
      record(2, { ...to(80), isWanted: false }),
      record(4, to(22)),
      record(3, to(443)),
      record(9, { ...to(1), clientId: "machine-2" }),
    ];
    const host = { serverKey: "https://relay.example.com", clientId: "machine-1" };
    expect(recentTargets(records, host).map(({ port }) => port)).toEqual([22, 443, 80]);
  });

  it("drops what it does not know, and nothing else", () => {
    const text = memoryText([record(1)]).replace('"id"', '"token": "from elsewhere", "id"');
    expect(parseMemory(text)).toEqual({ kind: "records", records: [record(1)] });
  });

  it.each([
    ["half of a file", memoryText([record(1)]).slice(0, 90), "not JSON"],
    ["a list", "[]", "expected object"],
    ["another version", memoryText([]).replace("1", "2"), "version"],
    ["a port out of range", memoryText([record(1, { localPort: 70_000 })]), "localPort"],
    ["an id that is a path", memoryText([record(1, { id: "../../etc/passwd" })]), "id"],
    ["too many records", memoryText([...many, record(0)]), "tunnels"],
  ])("says of %s what is wrong", (_, text, why) => {
    expect(parseMemory(text)).toEqual({ kind: "broken", why: expect.stringContaining(why) });
  });

  it("forgets the oldest beyond a hundred: first what is kept for its port alone", () => {
    const closed = many.map((each) => (each.usedAtMs === 50 ? { ...each, isWanted: false } : each));
    expect(withRecord(closed, record(500)).dropped).toEqual([record(50, { isWanted: false })]);
    expect(withRecord(many, record(500)).dropped).toEqual([record(1)]);
    const isHeld = ({ usedAtMs }: TunnelRecord) => usedAtMs < 3;
    expect(withRecord(many, record(500), isHeld).dropped).toEqual([record(3)]);
    expect(withRecord(many, record(7, { usedAtMs: 900 })).dropped).toEqual([]);
  });
});

describe("the file of remembered tunnels", () => {
  it("is for its owner alone, and replaced as a whole", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "storage", "tunnels.json");
    const memory = new MemoryFile({ path, log: silentLog });
    expect(await memory.read()).toEqual([]);
    // both wait for their turn, so neither loses what the other has added
    await Promise.all([
      memory.change((before) => [...before, record(1)]),
      memory.change((before) => [...before, record(2)]),
    ]);
    expect(await memory.read()).toEqual([record(1), record(2)]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(directory.path, "storage"))).toEqual(["tunnels.json"]);
  });

  it.each([
    ["broken", "{", "it is not JSON"],
    ["huge", " ".repeat(1024 * 1024 + 1), "1048577 bytes"],
  ])("is set aside when it is %s, which is logged", async (_, text, why) => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "tunnels.json");
    await writeFile(path, text);
    const errors: unknown[] = [];
    const log: Log = { ...silentLog, error: (message, fields) => errors.push([message, fields]) };
    const memory = new MemoryFile({ path, log });
    expect(await memory.read()).toEqual([]);
    expect(errors).toEqual([
      [
        expect.stringContaining("set aside"),
        { path: `${path}.broken`, why: expect.stringContaining(why) },
      ],
    ]);
    expect(await readFile(`${path}.broken`, "utf8")).toBe(text);
    await memory.change(() => [record(1)]);
    expect(await memory.read()).toEqual([record(1)]);
  });

  it("tells when all that was changed so far is written", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "tunnels.json");
    const memory = new MemoryFile({ path, log: silentLog });
    for (const n of [1, 2, 3]) void memory.change((records) => [...records, record(n)]);
    await memory.written();
    const written = parseMemory(await readFile(path, "utf8"));
    expect(written).toEqual({ kind: "records", records: [record(1), record(2), record(3)] });
  });

  it("says so when it cannot be written, and leaves what was there", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "storage");
    await mkdir(path);
    const errors: string[] = [];
    const log: Log = { ...silentLog, error: (message) => errors.push(message) };
    // a folder in its place can be neither read nor replaced, whoever one is
    const memory = new MemoryFile({ path, log });
    await memory.change(() => [record(1)]);
    expect(errors).toEqual(["remembered tunnels cannot be read"]);
    await chmod(path, 0o700);
    expect(await readdir(path)).toEqual([]);
  });
});
