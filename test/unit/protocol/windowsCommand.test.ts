import {
  powershellQuote,
  type WindowsCommandParts,
  windowsCommand,
} from "@rport/protocol/pairing/windowsCommand";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { syntaxErrors } from "../../support/powershell/syntax.ts";

const PARTS: WindowsCommandParts = {
  url: "https://rport.example.com/base",
  id: "0123456789ABCDEF",
  sha256: "a".repeat(64),
  token: "0123456789ABCDEFGHJKMNPQRS",
  parameters: {},
};
/** What may be pasted into a PowerShell. */
const printable = fc
  .oneof(
    fc.string({ unit: "binary", maxLength: 30 }),
    fc.string({ unit: fc.constantFrom(..."'\"`$\\!&|;<>(){}[]*?~#= -@%,"), maxLength: 30 }),
    fc.constantFrom("'; Get-Date; '", "$(Get-Date)", "`n", "''", "a'b''c", "@()", "--%"),
  )
  .filter((text) => !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}‘’‚‛“”„]/u.test(text));

describe("a word of PowerShell", () => {
  it("S-08: ends where it should, whatever is in it", () => {
    fc.assert(
      fc.property(printable, (text) => {
        const word = powershellQuote(text);
        expect(word).toMatch(/^'([^']|'')*'$/);
        expect(word.slice(1, -1).replaceAll("''", "'")).toBe(text);
      }),
    );
  });

  it.each(["a\nb", "a\rb", "\u001b[2J", "\u0000", "\u2028"])("has no controls", (text) => {
    expect(() => powershellQuote(text)).toThrow(/control characters/);
  });

  it.each([..."‘’‚‛“”„"])("has no %s, which PowerShell takes for a quote", (quote) => {
    expect(() => powershellQuote(`a${quote}b`)).toThrow(/typographic/);
  });
});

describe("the line to paste on Windows", () => {
  it("is one line of ASCII that Windows PowerShell 5.1 understands", async () => {
    const parameters = { Name: "it's web 01", Tag: ["a", "b c"], NoService: true as const };
    const line = windowsCommand({ ...PARTS, parameters });
    expect(line).toMatch(/^[\x20-\x7e]+$/);
    expect(await syntaxErrors(`${line}\n`)).toEqual([]);
    expect(line).toContain(" -Name 'it''s web 01' -Tag 'a','b c' -NoService}");
  });

  it("pins the script, and fetches it as one for Windows with TLS 1.2", () => {
    const line = windowsCommand(PARTS);
    expect(line).toContain(`'${PARTS.sha256}'`);
    expect(line).toContain("'https://rport.example.com/base/p/0123456789ABCDEF?os=windows'");
    expect(line).toContain("-bor3072");
    expect(line).not.toMatch(/\biex\b|Invoke-Expression|powershell(\.exe)? /i);
  });

  it("S-08: is refused when a part of it would be code", () => {
    const with_ = (parts: Partial<WindowsCommandParts>) => () =>
      windowsCommand({ ...PARTS, ...parts });
    expect(with_({ token: "a;b" })).toThrow(/letters and digits/);
    expect(with_({ sha256: "A".repeat(64) })).toThrow(/SHA-256/);
    expect(with_({ parameters: { "A;B": "x" } })).toThrow(/no such parameter/);
    expect(with_({ url: "https://a’b" })).toThrow(/typographic/);
  });

  it("of a pairing service apart from the server fetches and claims there, and takes the agent from the server", () => {
    const line = windowsCommand({ ...PARTS, pairingUrl: "https://pair.example.com" });
    expect(line).toContain("'https://pair.example.com/p/0123456789ABCDEF?os=windows'");
    expect(line).toContain(
      "-Server 'https://rport.example.com/base' -Pairing 'https://pair.example.com' -Token",
    );
  });
});
