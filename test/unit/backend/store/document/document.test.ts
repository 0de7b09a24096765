import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RportError } from "@rport/protocol/errors";
import { describe, expect, it } from "vitest";
import { Document } from "../../../../../backend/src/store/document/document.ts";
import type { DocumentData } from "../../../../../backend/src/store/document/documentData.ts";
import { firstDocument } from "../../../../../backend/src/store/document/documentData.ts";
import { DocumentFile } from "../../../../../backend/src/store/document/documentFile.ts";
import {
  formatDocument,
  parseDocument,
} from "../../../../../backend/src/store/document/documentText.ts";
import { testLog } from "../../../../support/log.ts";
import { tempDirectory } from "../../../../support/tempDirectory.ts";

const FIRST = firstDocument(Date.UTC(2030, 0, 1));
const { log } = testLog();

/** An adapter whose writes wait until the test lets them through, or fail with a system code. */
class SlowDisk {
  written: DocumentData[] = [];
  readonly #open: ((failure?: Error) => void)[] = [];

  read(): Promise<DocumentData> {
    return Promise.resolve(FIRST);
  }

  async write(data: DocumentData): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#open.push((failure) => (failure === undefined ? resolve() : reject(failure)));
    });
    this.written.push(data);
  }

  get pending(): number {
    return this.#open.length;
  }

  async finishOne(code?: string): Promise<void> {
    this.#open.shift()?.(code === undefined ? undefined : Object.assign(new Error(code), { code }));
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  }
}

function labelled(label: string): (data: DocumentData) => DocumentData {
  return (data) => ({
    ...data,
    credentials: data.credentials.map((record) => ({ ...record, label })),
  });
}

describe("the document", () => {
  it("shows readers a change only when it is on disk", async () => {
    const disk = new SlowDisk();
    const document = await Document.open(disk, log);
    const update = document.update(labelled("next"));
    expect(document.data.credentials[0]?.label).toBe("First credential");
    await disk.finishOne();
    await update;
    expect(document.data.credentials[0]?.label).toBe("next");
  });

  it("answers the first caller although others keep coming (D-06)", async () => {
    const disk = new SlowDisk();
    const document = await Document.open(disk, log);
    const first = document.update(labelled("0"));
    let isFirstDone = false;
    void first.then(() => {
      isFirstDone = true;
    });
    const others = [1, 2, 3].map((n) => document.update(labelled(String(n))));
    await disk.finishOne();
    expect(isFirstDone).toBe(true);
    expect(disk.pending).toBe(1);
    others.push(document.update(labelled("late")));
    await disk.finishOne();
    expect(document.data.credentials[0]?.label).toBe("3");
    await disk.finishOne();
    await Promise.all(others);
    expect(disk.written.map((data) => data.credentials[0]?.label)).toEqual(["0", "3", "late"]);
  });

  it("leaves memory as it was when the disk is full, and goes on afterwards (D-04)", async () => {
    const disk = new SlowDisk();
    const document = await Document.open(disk, log);
    const failing = document.update(labelled("lost"));
    await disk.finishOne("ENOSPC");
    await expect(failing).rejects.toMatchObject({ code: "DISK_FULL", status: 507 });
    expect(document.data).toEqual(FIRST);
    const next = document.update(labelled("kept"));
    await disk.finishOne();
    await next;
    expect(disk.written).toHaveLength(1);
    expect(disk.written[0]?.credentials[0]?.label).toBe("kept");
  });

  it("never trusts the disk again after a failed sync (D-04)", async () => {
    const disk = new SlowDisk();
    const document = await Document.open(disk, log);
    const failing = document.update(labelled("lost"));
    await disk.finishOne("EIO");
    await expect(failing).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(document.update(labelled("more"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(disk.written).toEqual([]);
  });

  it("refuses one change without harming those that share its write", async () => {
    const disk = new SlowDisk();
    const document = await Document.open(disk, log);
    const before = document.update(labelled("before"));
    const refused = document.update(() => {
      throw new RportError("CONFLICT", "No.");
    });
    const after = document.update(labelled("after"));
    const refusal = expect(refused).rejects.toMatchObject({ code: "CONFLICT" });
    await disk.finishOne();
    await disk.finishOne();
    await Promise.all([before, after, refusal]);
    expect(document.data.credentials[0]?.label).toBe("after");
  });
});

describe("the document's text", () => {
  const text = formatDocument(FIRST);

  it("comes back as it was written", () => {
    expect(parseDocument(text)).toEqual({ kind: "read", data: FIRST });
  });

  it("is refused, or means the same, when it is cut at any length (D-05)", () => {
    for (let length = 0; length < text.length; length += 1) {
      const reading = parseDocument(text.slice(0, length));
      if (reading.kind === "read") expect(reading.data).toEqual(FIRST);
    }
    expect(parseDocument(text.slice(0, -3)).kind).toBe("wrong");
  });

  it("is refused, or means the same, when any bit is flipped (D-05)", () => {
    const bytes = Buffer.from(text);
    let refused = 0;
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const reading = parseDocument(flipped.toString("utf8"));
      if (reading.kind === "read") expect(reading.data).toEqual(FIRST);
      else refused += 1;
    }
    expect(refused).toBeGreaterThan(bytes.length * 5);
  });

  it("may be edited by hand when the checksum is taken out", () => {
    const edited = text.replace("First credential", "Renamed");
    expect(parseDocument(edited)).toMatchObject({
      kind: "wrong",
      what: expect.stringContaining("edited by hand"),
    });
    const without = edited.replace(/ +"sha256".*\n/, "");
    const reading = parseDocument(without);
    expect(reading.kind === "read" && reading.data.credentials[0]?.label).toBe("Renamed");
  });
});

describe("a file that is not a document", () => {
  const newer = formatDocument(FIRST).replace('"schema_version": 3', '"schema_version": 4');
  it.each([
    ["an empty file", "", "is empty"],
    ["null", "null", "not a document of this program"],
    ["an empty list", "[]", "not a document of this program"],
    ["a newer schema", newer, "schema version 4"],
    ["a byte order mark", `\u{FEFF}${formatDocument(FIRST)}`, "byte order mark"],
    ["NUL bytes", "\0".repeat(500), "not JSON"],
    ["half a file", formatDocument(FIRST).slice(0, 300), "cut off"],
    ["somebody else's JSON", '{"name":"x"}', "not a document of this program"],
  ])("stops the start and stays as it is: %s (D-09)", async (_, text, what) => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "rport.json");
    await writeFile(path, text);
    const file = new DocumentFile(path);
    await expect(file.read()).rejects.toMatchObject({ exitCode: 65, why: "data" });
    await expect(file.read()).rejects.toThrow(what);
    await expect(file.read()).rejects.toThrow(path);
    expect(await readFile(path, "utf8")).toBe(text);
  });

  it("names the good backup to copy (D-09)", async () => {
    await using directory = await tempDirectory();
    const file = new DocumentFile(join(directory.path, "rport.json"));
    await file.write(FIRST);
    await file.write(labelled("second")(FIRST));
    await writeFile(file.path, "{");
    await expect(file.read()).rejects.toThrow(`cp -p '${file.path}.1' '${file.path}'`);
    expect(await new DocumentFile(`${file.path}.1`).read()).toEqual(FIRST);
  });

  it("is never written larger than it is read", async () => {
    await using directory = await tempDirectory();
    const file = new DocumentFile(join(directory.path, "rport.json"));
    await file.write(FIRST);
    const huge = labelled("x".repeat(64 * 2 ** 20))(FIRST);
    await expect(file.write(huge)).rejects.toThrow("remove some");
    expect(await file.read()).toEqual(FIRST);
  });

  it("stops the start without being read when it is huge (D-09)", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "rport.json");
    await writeFile(path, "");
    await truncate(path, 600 * 2 ** 20);
    await expect(new DocumentFile(path).read()).rejects.toThrow("is larger than");
  });
});
