/** What carries this as JSON. */
export function toJsonPayload(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/**
 * What a request or its reply carries as JSON; undefined when it is none, or longer than `maxBytes`: megabytes
 * of members keep whoever parses them busy for seconds. Throws nothing.
 */
export function parseJsonPayload(payload: Buffer, maxBytes: number): unknown {
  if (payload.length > maxBytes) return undefined;
  try {
    return JSON.parse(payload.toString("utf8"));
  } catch {
    return undefined;
  }
}
