/** What carries this as JSON. */
export function toJsonPayload(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** What a request or its reply carries as JSON; undefined when it is none. Throws nothing. */
export function parseJsonPayload(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString("utf8"));
  } catch {
    return undefined;
  }
}
