import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { readPassword } from "../../../../backend/src/cli/people/passwordInput.ts";

/** A terminal somebody types at, or a pipe. */
function place(isTTY: boolean) {
  const raw: boolean[] = [];
  const setRawMode = (mode: boolean) => {
    raw.push(mode);
    return input;
  };
  const input: PassThrough & { isTTY?: boolean; setRawMode?: (mode: boolean) => unknown } =
    new PassThrough();
  input.isTTY = isTTY;
  input.setRawMode = setRawMode;
  let written = "";
  const prompts = {
    write(text: string | Uint8Array) {
      written += String(text);
      return true;
    },
  };
  const given = { input: input as never, prompts };
  return { input, raw, given, written: () => written };
}

describe("a password on a terminal", () => {
  it("is typed twice, unseen, and the terminal is as before", async () => {
    const { input, raw, given, written } = place(true);
    const reading = readPassword(given);
    input.write("pässwort-x");
    input.write("\u007F1\r");
    input.write("pässwort-1\n");
    expect(await reading).toBe("pässwort-1");
    expect(written()).toBe("Password: \nThe same again: \n");
    expect(raw).toEqual([true, false]);
  });

  it("may be pasted, both lines at once and in pieces of bytes", async () => {
    const { input, given } = place(true);
    const reading = readPassword(given);
    const bytes = Buffer.from("pässwort-1\rpässwort-1\r");
    input.write(bytes.subarray(0, 2));
    input.write(bytes.subarray(2));
    expect(await reading).toBe("pässwort-1");
  });

  it.each([
    ["two that differ", "one\rother\r", "not the same"],
    ["Ctrl-C", "one\u0003", "Interrupted"],
  ])("changes nothing with %s", async (_name, keys, sentence) => {
    const { input, raw, given } = place(true);
    const reading = readPassword(given);
    input.write(keys);
    await expect(reading).rejects.toThrow(sentence);
    expect(raw.at(-1)).toBe(false);
  });

  it("is given up when the terminal is gone", async () => {
    const { input, given } = place(true);
    const reading = readPassword(given);
    input.end();
    await expect(reading).rejects.toThrow("ended");
  });
});

describe("a password on the standard input", () => {
  it("is its first line", async () => {
    const { input, given, written } = place(false);
    input.end("a password with spaces\r\nrest");
    expect(await readPassword(given)).toBe("a password with spaces");
    expect(written()).toBe("");
  });

  it.each([
    ["nothing", "", "no password"],
    ["an empty line", "\n", "no password"],
    ["a flood", "x".repeat(5_000), "too long"],
  ])("is refused when there is %s", async (_name, text, sentence) => {
    const { input, given } = place(false);
    input.end(text);
    await expect(readPassword(given)).rejects.toThrow(sentence);
  });
});
