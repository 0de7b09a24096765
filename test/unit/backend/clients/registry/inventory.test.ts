import { connectionRequestSchema } from "@rport/protocol/agent";
import { authIdSchema, clientIdSchema, secretIdSchema } from "@rport/protocol/ids";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { recordOf } from "../../../../../backend/src/clients/registry/inventory.ts";
import { clientRecordSchema } from "../../../../../backend/src/store/records/clientRecord.ts";

const WHO = {
  id: clientIdSchema.parse("machine-1"),
  credentialId: authIdSchema.parse("fleet"),
  secretId: secretIdSchema.parse("secret-1"),
  address: "192.0.2.1",
  features: [],
  hostKey: undefined,
  nowMs: Date.UTC(2030, 0, 1),
  leftOut: [],
};
const recordFrom = (json: string) =>
  recordOf(connectionRequestSchema.parse(JSON.parse(json)), WHO, []);

describe("S-03: what an agent says about its host", () => {
  it("may leave everything out", () => {
    expect(recordFrom("{}")).toMatchObject({ name: "", num_cpus: 0, ipv4: [], labels: {} });
  });

  it("C-07: cannot act on a terminal or a page, nor turn text around", () => {
    const said = { Name: "a\u001b[2Jb\u202Ec\u0000", Tags: ["x\ny"], Labels: { "k\r": "v\u2028" } };
    expect(recordFrom(JSON.stringify(said))).toMatchObject({
      name: "a\u{FFFD}[2Jb\u{FFFD}c\u{FFFD}",
      tags: ["x\u{FFFD}y"],
      labels: { "k\u{FFFD}": "v\u{FFFD}" },
    });
  });

  it("cannot reach the prototype of anything", () => {
    const record = recordFrom('{"Labels":{"__proto__":"x","constructor":"y"},"__proto__":{"a":1}}');
    expect(({} as Record<string, unknown>).a).toBeUndefined();
    expect(Object.getPrototypeOf(record?.labels)).toBe(Object.prototype);
    expect(record?.labels).toMatchObject({ constructor: "y" });
  });

  it("is kept up to 256 labels and 64 KiB", () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`k${n}`, "v"]));
    expect(Object.keys(recordFrom(JSON.stringify({ Labels: many }))?.labels ?? {})).toHaveLength(
      256,
    );
    const large = Object.fromEntries(
      Array.from({ length: 70 }, (_, n) => [`k${n}`, "v".repeat(999)]),
    );
    expect(recordFrom(JSON.stringify({ Labels: large }))).toBeUndefined();
  });

  it("F-18: always becomes a record that can be read back from disk", () => {
    const text = fc.string({ unit: "binary", maxLength: 40 });
    const said = fc.record({
      Name: text,
      Hostname: text,
      Tags: fc.array(fc.option(text), { maxLength: 5 }),
      Labels: fc.dictionary(text, text, { maxKeys: 5 }),
      IPv4: fc.option(fc.array(text, { maxLength: 3 })),
    });
    fc.assert(
      fc.property(said, (value) => {
        const stored = JSON.parse(JSON.stringify(recordFrom(JSON.stringify(value))));
        expect(clientRecordSchema.safeParse(stored).success).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
