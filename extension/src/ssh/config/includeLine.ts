/** Each byte is one character, so that a file in any encoding is what it was. */
const BYTES = "latin1";

/** Whether one of the lines of somebody's configuration is this one. */
export function hasLine(config: Buffer, line: string): boolean {
  return linesOf(config).some((each) => isLine(each, line));
}

/** The configuration with this line at its top, which ends as its other lines do. */
export function withLine(config: Buffer, line: string): Buffer {
  const [first = ""] = linesOf(config);
  const end = first.endsWith("\r\n") ? "\r\n" : "\n";
  return Buffer.concat([Buffer.from(`${line}${end}`), config]);
}

/** The configuration without this line, wherever it has got to; all else is byte for byte what it was. */
export function withoutLine(config: Buffer, line: string): Buffer {
  const kept = linesOf(config).filter((each) => !isLine(each, line));
  return Buffer.from(kept.join(""), BYTES);
}

/** With their ends. */
function linesOf(config: Buffer): readonly string[] {
  return config.toString(BYTES).match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function isLine(text: string, line: string): boolean {
  return text.trim() === Buffer.from(line).toString(BYTES);
}
