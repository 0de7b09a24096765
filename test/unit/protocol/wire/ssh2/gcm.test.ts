import { createDecipheriv, randomBytes } from "node:crypto";
import type { GcmKey } from "@rport/protocol/wire/ssh2/gcm";
import { GcmCipher } from "@rport/protocol/wire/ssh2/gcmCipher";
import { GcmDecipher } from "@rport/protocol/wire/ssh2/gcmDecipher";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const KEYS: GcmKey[] = [
  { cipher: "aes-128-gcm", key: randomBytes(16), iv: randomBytes(12), seqno: 3 },
  { cipher: "aes-256-gcm", key: randomBytes(32), iv: Buffer.alloc(12, 0xff), seqno: 0xffff_ffff },
];
const LIMIT = { packetBytes: 20 << 20 };

/** Seals payloads one after the other with one key. */
function seal(key: GcmKey, payloads: readonly Buffer[]): Buffer[] {
  const packets: Buffer[] = [];
  const cipher = new GcmCipher(key, (packet) => packets.push(packet));
  for (const payload of payloads) {
    const packet = cipher.allocPacket(payload.length);
    packet.set(payload, 5);
    cipher.encrypt(packet);
  }
  return packets;
}

function opener(key: GcmKey, packetBytes = LIMIT.packetBytes) {
  const payloads: Buffer[] = [];
  const limit = { packetBytes };
  const decipher = new GcmDecipher(key, limit, (payload) => void payloads.push(payload));
  const feed = (bytes: Buffer) => decipher.decrypt(bytes, 0, bytes.length);
  return { payloads, feed, limit, decipher };
}

/** Opens one packet by the letter of RFC 5647: the counter of the nonce is a number of 64 bits. */
function openByTheBook({ cipher, key, iv }: GcmKey, number: number, packet: Buffer): Buffer {
  const nonce = Buffer.from(iv);
  nonce.writeBigUInt64BE(BigInt.asUintN(64, iv.readBigUInt64BE(4) + BigInt(number)), 4);
  const decipher = createDecipheriv(cipher, key, nonce, { authTagLength: 16 });
  decipher.setAAD(packet.subarray(0, 4));
  decipher.setAuthTag(packet.subarray(-16));
  const plain = Buffer.concat([decipher.update(packet.subarray(4, -16)), decipher.final()]);
  return plain.subarray(1, plain.length - (plain[0] ?? 0));
}

describe.each(KEYS)("packets under $cipher", (key) => {
  it("F-13: come back whole, however the bytes are cut", () => {
    const payload = fc
      .uint8Array({ minLength: 1, maxLength: 400 })
      .map((array) => Buffer.from(array));
    const cuts = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(payload, { maxLength: 12 }), cuts, (payloads, sizes) => {
        const bytes = Buffer.concat(seal(key, payloads));
        const { payloads: received, feed } = opener(key);
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          feed(bytes.subarray(at, at + size));
          at += size;
        }
        expect(received).toEqual(payloads);
      }),
    );
  });

  it.each([
    "ffffffff ffffffff ffffffff",
    "00000001 7fffffff fffffffe",
    "80000000 00000000 7ffffffe",
    "01020304 000000ff fffffffd",
  ])("have nonces that count on from %s", (start) => {
    const from = { ...key, iv: Buffer.from(start.replaceAll(" ", ""), "hex") };
    const payloads = ["one", "two", "three", "four"].map((text) => Buffer.from(text));
    const packets = seal(from, payloads);
    const opened = packets.map((packet, number) => openByTheBook(from, number, packet));
    expect(opened).toEqual(payloads);
  });

  it("of two connections in turn do not get into each other's way", () => {
    const other = { ...key, key: randomBytes(key.key.length), iv: randomBytes(12) };
    const payloads = ["one", "two", "three"].map((text) => Buffer.from(text));
    const [mine, theirs] = [seal(key, payloads), seal(other, payloads)];
    const [me, them] = [opener(key), opener(other)];
    const [empty, cut] = [Buffer.alloc(0), 2];
    for (let n = 0; n < payloads.length; n += 1) {
      me.feed((mine[n] ?? empty).subarray(0, cut));
      them.feed((theirs[n] ?? empty).subarray(0, 4 + cut));
      me.feed((mine[n] ?? empty).subarray(cut));
      them.feed((theirs[n] ?? empty).subarray(4 + cut));
    }
    expect([me.payloads, them.payloads]).toEqual([payloads, payloads]);
  });

  it("are whole blocks, whatever the payload's size", () => {
    const sizes = Array.from({ length: 40 }, (_, index) => index + 1);
    for (const packet of seal(
      key,
      sizes.map((size) => Buffer.alloc(size)),
    )) {
      const length = packet.readUInt32BE(0);
      expect(length % 16).toBe(0);
      expect(packet.length).toBe(4 + length + 16);
    }
  });

  it("are refused when any byte was changed", () => {
    const [packet = Buffer.alloc(0)] = seal(key, [Buffer.from("a payload")]);
    for (let at = 0; at < packet.length; at += 1) {
      const changed = Buffer.from(packet);
      changed[at] = (changed[at] ?? 0) ^ 0x80;
      const { feed, payloads } = opener(key);
      expect(() => {
        feed(changed);
        if (at < 4) feed(Buffer.alloc(1 << 20));
        if (payloads.length === 0) throw new Error("nothing came out");
      }).toThrow();
    }
  });

  it("are refused when one is left out", () => {
    const [, second = Buffer.alloc(0)] = seal(key, [Buffer.from("one"), Buffer.from("two")]);
    expect(() => opener(key).feed(second)).toThrow();
  });
});

describe("a decipher", () => {
  const key = KEYS[0] as GcmKey;

  it("carries channel data that was never copied into a packet", () => {
    const packets: Buffer[] = [];
    const cipher = new GcmCipher(key, (packet) => packets.push(packet));
    cipher.encryptData(0x0102_0304, Buffer.from("data"));
    const { payloads, feed } = opener(key);
    feed(Buffer.concat(packets));
    expect(payloads[0]?.toString("hex")).toBe("5e010203040000000464617461");
  });

  it("follows the limit as it is now", () => {
    const [packet = Buffer.alloc(0)] = seal(key, [Buffer.alloc(2000)]);
    const { feed, payloads, limit } = opener(key, 1000);
    expect(() => feed(packet)).toThrow("packet of 2016 bytes");
    limit.packetBytes = 3000;
    const fresh = opener(key, 1000);
    fresh.limit.packetBytes = 3000;
    fresh.feed(packet);
    expect(payloads).toEqual([]);
    expect(fresh.payloads[0]?.length).toBe(2000);
  });

  it("takes memory for a large packet only as its bytes arrive", () => {
    const [packet = Buffer.alloc(0)] = seal(key, [Buffer.alloc(16 << 20, 94)]);
    const { feed, payloads } = opener(key);
    const before = process.memoryUsage().arrayBuffers;
    feed(packet.subarray(0, 100));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 << 20);
    for (let at = 100; at < packet.length; at += 65_536) feed(packet.subarray(at, at + 65_536));
    expect(payloads[0]?.equals(Buffer.alloc(16 << 20, 94))).toBe(true);
  });

  it("says what has come of a packet, and takes little memory for the first 4 KiB of a Go client", () => {
    const [packet = Buffer.alloc(0)] = seal(key, [Buffer.alloc(3 << 19, 94)]);
    const { decipher, feed, payloads } = opener(key);
    expect(decipher.half).toEqual({ bytes: 0, memoryBytes: 0 });
    feed(packet.subarray(0, 3));
    expect(decipher.half).toEqual({ bytes: 3, memoryBytes: 0 });
    feed(packet.subarray(3, 4_096));
    expect(decipher.half).toEqual({ bytes: 4_096, memoryBytes: 64 << 10 });
    feed(packet.subarray(4_096, 1 << 20));
    expect(decipher.half).toEqual({ bytes: 1 << 20, memoryBytes: (1 << 20) - 4 });
    feed(packet.subarray(1 << 20));
    expect(decipher.half.bytes).toBe(0);
    expect(payloads).toHaveLength(1);
  });

  it("stops where the handler says", () => {
    const packets = Buffer.concat(seal(key, [Buffer.from("one"), Buffer.from("two")]));
    const { decipher, payloads } = opener(key);
    decipher._onPayload = (payload) => {
      payloads.push(payload);
      return Number.POSITIVE_INFINITY;
    };
    expect(decipher.decrypt(packets, 0, packets.length)).toBe(Number.POSITIVE_INFINITY);
    expect(payloads.length).toBe(1);
  });
});
