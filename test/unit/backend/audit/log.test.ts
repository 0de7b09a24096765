import { readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { START } from "../../../../backend/src/audit/chain.ts";
import { entry, testAuditLog } from "../../../support/backend/auditLog.ts";

const DAY_MS = 86_400_000;
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

describe("the audit log", () => {
  it("goes on where it ended, in files that only their owner reads", async () => {
    await using log = await testAuditLog();
    await log.audit.record(entry(1));
    await log.reopen();
    await log.audit.record(entry(2));
    expect(await log.verify()).toMatchObject({ kind: "ok", segments: 1, head: { seq: 2 } });
    expect([await modeOf(log.directory), await modeOf(log.segment(1))]).toEqual(["700", "600"]);
  });

  it("writes who, from where, what, with texts of any kind", async () => {
    await using log = await testAuditLog();
    await log.audit.record({ ...entry(1), clientHostname: "\ud800 half\n".padEnd(5_000, "x") });
    const [line = ""] = (await readFile(log.segment(1), "utf8")).split("\n");
    const written = JSON.parse(line);
    expect(written).toMatchObject({
      seq: 1,
      at: "2030-01-01T00:00:00.000Z",
      user: "local",
      remote_ip: "192.0.2.1",
      application: "client.auth",
      action: "create",
      affected_id: "größe-1",
      request: { label: `a "label" \u{1f680}`, cidrs: ["10.0.0.0/8"], max_clients: null },
    });
    // The half character takes three bytes of UTF-8, the end of a line two of JSON.
    expect(written.client_hostname).toHaveLength(997);
    expect(await log.verify()).toMatchObject({ kind: "ok" });
  });

  it("S-23: replaces what is shaped like a secret in the facts", async () => {
    await using log = await testAuditLog();
    const secret = Buffer.alloc(32, 9).toString("base64url");
    const request = { label: `it is ${secret}`, password: "hunter2", tags: [secret] };
    await log.audit.record({ ...entry(1), request });
    const text = await readFile(log.segment(1), "utf8");
    expect(text).not.toContain(secret);
    expect(text).not.toContain("hunter2");
  });

  it("cuts a long list, and says how many there are in all", async () => {
    await using log = await testAuditLog();
    const ids = (count: number) => Array.from({ length: count }, (_, n) => `host-${n}`);
    await log.audit.record({ ...entry(1), response: { clients: ids(71), credentials: ids(64) } });
    const written = JSON.parse((await readFile(log.segment(1), "utf8")).trim());
    expect(written.response).toEqual({
      clients: ids(64),
      clients_total: 71,
      credentials: ids(64),
    });
    expect(await log.verify()).toMatchObject({ kind: "ok" });
  });

  it.each(["x", "ß", "\u{1f680}", "\u0001", '"'])(
    "bounds the bytes of an entry, whatever it is told: %j",
    async (character) => {
      await using log = await testAuditLog();
      const text = character.repeat(5_000);
      const list = Array.from({ length: 64 }, () => text);
      const facts = { reason: text, names: list, why: text, tags: list, more: 7 };
      const names = { user: text, affectedId: text, clientId: text, clientHostname: text };
      await log.audit.record({ ...entry(1), ...names, request: facts, response: facts });
      const line = await readFile(log.segment(1));
      expect(line.length).toBeLessThan(16 << 10);
      const { request } = JSON.parse(line.toString());
      expect(request).toMatchObject({ more: 7, names_total: 64, tags_total: 64 });
      expect(request.reason.startsWith(character.repeat(150))).toBe(true);
      expect(request.names.length).toBeGreaterThan(0);
      expect(await log.verify()).toMatchObject({ kind: "ok" });
    },
  );

  it("shares a sync among entries that come at once, and keeps their order", async () => {
    await using log = await testAuditLog();
    const first = log.audit.record(entry(0));
    for (let n = 1; n <= 2_000; n += 1) log.audit.note(entry(n));
    await Promise.all([first, log.audit.record(entry(2_001)), log.audit.settled()]);
    expect(log.files.syncs).toBeLessThan(6);
    const ids = log.follower.entries.map(({ body }) => body.affected_id);
    expect(ids).toEqual(Array.from({ length: 2_002 }, (_, n) => `größe-${n}`));
    expect(await log.verify()).toMatchObject({ kind: "ok", head: { seq: 2_002 } });
  });

  it("begins a new file each month, also when its clock is set back meanwhile", async () => {
    await using log = await testAuditLog();
    await log.audit.record(entry(1));
    log.clock.advance(32 * DAY_MS);
    await log.audit.record(entry(2));
    log.clock.jump(-10 * DAY_MS);
    await log.audit.record(entry(3));
    await log.reopen();
    await log.audit.record(entry(4));
    expect(await log.segments()).toEqual(["audit-1.ndjson", "audit-2.ndjson"]);
    expect(await log.verify()).toMatchObject({ kind: "ok", segments: 2, head: { seq: 4 } });
  });
});

describe("after a crash", () => {
  it("D-05: a last line torn off anywhere is removed, told of, and nothing else is lost", async () => {
    await using log = await testAuditLog();
    await log.audit.record(entry(1));
    const { size: whole } = await stat(log.segment(1));
    await log.audit.record(entry(2));
    const both = await readFile(log.segment(1));
    for (let length = whole; length < both.length; length += 9) {
      await writeFile(log.segment(1), both.subarray(0, length));
      log.follower.head = START;
      await log.reopen();
      await log.audit.record(entry(3));
      expect(await log.verify()).toMatchObject({ kind: "ok", head: { seq: 2 }, isTorn: false });
    }
    expect(log.lines.filter((line) => line.includes("cut off")).length).toBeGreaterThan(40);
  });

  it("zeros that a power cut left behind the last line are removed, too", async () => {
    await using log = await testAuditLog();
    await log.audit.record(entry(1));
    await truncate(log.segment(1), 4_096);
    await log.reopen();
    await log.audit.record(entry(2));
    expect(await log.verify()).toMatchObject({ kind: "ok", head: { seq: 2 } });
  });
});

describe("a log that somebody changed while the server was stopped", () => {
  it("S-22: is left as it is, and goes on in a new file that says where it is broken", async () => {
    await using log = await testAuditLog();
    for (const n of [1, 2, 3]) await log.audit.record(entry(n));
    await log.edit(1, (text) => text.replace("größe-2", "größe-9"));
    const damaged = await readFile(log.segment(1));
    await log.reopen();
    await log.audit.record(entry(4));
    expect(await readFile(log.segment(1))).toEqual(damaged);
    expect(log.follower.entries.at(-2)?.body).toMatchObject({
      seq: 4,
      application: "audit",
      action: "break",
      response: { segment: "audit-1.ndjson", line: 2 },
    });
    expect(await log.verify()).toMatchObject({ kind: "broken", path: log.segment(1), line: 2 });
    expect(log.lines.join("\n")).toContain("the audit log is damaged");
  });

  it("is sound again for who moved the damaged file away and noted an entry after it", async () => {
    await using log = await testAuditLog();
    for (const n of [1, 2]) await log.audit.record(entry(n));
    await log.edit(1, (text) => text.replace("größe-1", "größe-9"));
    await log.reopen();
    await log.audit.record(entry(3));
    const noted = log.audit.head;
    expect(await log.verify(noted)).toMatchObject({ kind: "broken", path: log.segment(1) });
    await rm(log.segment(1));
    const found = await log.verify();
    expect(found).toMatchObject({ kind: "broken", path: log.segment(2), line: 1 });
    expect(found).toMatchObject({ what: expect.stringContaining("the entry was altered") });
    expect(await log.verify(noted)).toMatchObject({ kind: "ok", firstSeq: 3, head: { seq: 4 } });
  });

  it("S-22: tells of entries that were cut off, as far as the index remembers them", async () => {
    await using log = await testAuditLog();
    for (const n of [1, 2, 3]) await log.audit.record(entry(n));
    await log.edit(1, (text) => `${text.split("\n")[0]}\n`);
    await log.reopen();
    await log.audit.record(entry(4));
    const [broken, next] = log.follower.entries.slice(-2);
    expect(broken?.body).toMatchObject({ seq: 4, action: "break" });
    expect(broken?.body.response.what).toMatch("ended at seq 3, and ends at 1 now");
    expect(next?.body).toMatchObject({ seq: 5, prev: broken?.hash });
    expect((await log.verify()).kind).toBe("broken");
    await log.reopen();
    expect(log.audit.head.seq).toBe(5);
  });

  it("S-22: tells when the last entry is another one than the index remembers", async () => {
    await using log = await testAuditLog();
    await log.audit.record(entry(1));
    log.follower.head = { seq: 1, hash: "a".repeat(64) };
    await log.reopen();
    await log.audit.settled();
    expect(log.follower.entries.at(-1)?.body).toMatchObject({ seq: 2, action: "break" });
  });
});

describe("a full disk", () => {
  it("D-04, F-15: loses entries without failing anybody, and the log says how many", async () => {
    await using log = await testAuditLog();
    await log.audit.record(entry(1));
    log.files.fill();
    await log.audit.record(entry(2));
    log.audit.note(entry(3));
    await log.audit.settled();
    expect(log.audit.lost).toBe(2);
    expect(await log.verify()).toMatchObject({ kind: "ok", head: { seq: 1 }, isTorn: false });
    expect(log.lines.join("\n")).toMatch(/without its audit entry.*größe-2/);

    log.files.failure = undefined;
    await log.audit.record(entry(4));
    expect(log.follower.entries.map(({ body }) => [body.seq, body.action])).toEqual([
      [1, "create"],
      [2, "gap"],
      [3, "create"],
    ]);
    expect(log.follower.entries[1]?.body.response).toEqual({ lost: 2 });
    expect(await log.verify()).toMatchObject({ kind: "ok", lost: 2, head: { seq: 3 } });
  });

  it("F-15: is tried again by itself, so that the gap is told also when nothing else happens", async () => {
    await using log = await testAuditLog();
    log.files.fill();
    await log.audit.record(entry(1));
    log.clock.advance(5_000);
    await log.audit.settled();
    expect(log.follower.entries).toEqual([]);
    log.files.failure = undefined;
    log.clock.advance(5_000);
    await log.audit.settled();
    expect(log.follower.entries.map(({ body }) => body.action)).toEqual(["gap"]);
    expect(log.clock.timers).toBe(0);
  });

  it("D-04: grants nothing more until it takes entries again", async () => {
    await using log = await testAuditLog();
    await log.audit.ready();
    log.files.fill();
    await log.audit.ready();
    await log.audit.record(entry(1));
    await expect(log.audit.ready()).rejects.toMatchObject({ code: "DISK_FULL" });
    log.files.failure = undefined;
    await log.audit.ready();
    expect(log.follower.entries.map(({ body }) => body.action)).toEqual(["gap"]);
  });
});

describe("a disk that hangs", () => {
  it("keeps places for entries that somebody waits for, whatever else is noted", async () => {
    await using log = await testAuditLog();
    using disk = log.files.hang();
    for (let n = 0; n < 30_000; n += 1) log.audit.note({ ...entry(n), application: "client" });
    const change = log.audit.record(entry(1));
    expect([log.audit.waiting, log.audit.lost]).toEqual([20_001, 10_000]);
    await log.audit.ready();
    disk.release();
    await change;
    const last = log.follower.entries.at(-1)?.body;
    expect(last).toMatchObject({ application: "client.auth", affected_id: "größe-1" });
    expect(await log.verify()).toMatchObject({ kind: "ok", lost: 10_000 });
    expect(log.lines.filter((line) => line.includes("are lost"))).toHaveLength(1);
    await log.audit.ready();
  });

  it("has nobody believe that an entry is written which has no place", async () => {
    await using log = await testAuditLog();
    using disk = log.files.hang();
    const kept = Array.from({ length: 10_000 }, (_, n) => log.audit.record(entry(n)));
    const granting = log.audit.ready();
    for (let n = 10_000; n < 20_000; n += 1) kept.push(log.audit.record(entry(n)));
    const refused = log.audit.record({ ...entry(20_000), affectedId: "the last one" });
    await expect(granting).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(refused).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(log.lines.at(-1)).toMatch(/without its audit entry.*the last one/);
    disk.release();
    await Promise.all(kept);
    const changes = log.follower.entries.filter(({ body }) => body.action === "create");
    expect(changes).toHaveLength(20_000);
    expect(await log.verify()).toMatchObject({ kind: "ok", lost: 1 });
    await log.audit.ready();
    await log.audit.record(entry(20_001));
    expect(log.audit.waiting).toBe(0);
  });

  it("answers nobody as written when the log is closed", async () => {
    await using log = await testAuditLog();
    await log.audit.close();
    await expect(log.audit.record(entry(1))).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });
});
