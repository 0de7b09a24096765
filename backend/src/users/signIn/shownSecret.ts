/** What somebody shows to be let in. */
export interface ShownSecret {
  readonly secret: string;
  /** The name that came with it, in `Basic`; undefined: none did. */
  readonly name: string | undefined;
}

/** The secret in `Bearer <secret>`, or in `Basic` as the password, as RPort takes it. */
export function shownSecret(authorization: string | undefined): ShownSecret | undefined {
  const [, scheme, value] = /^(bearer|basic) +([^ ]+)$/i.exec(authorization ?? "") ?? [];
  if (scheme === undefined || value === undefined) return undefined;
  if (scheme.toLowerCase() === "bearer") return { secret: value, name: undefined };
  return basicPair(value);
}

function basicPair(value: string): ShownSecret | undefined {
  const pair = Buffer.from(value, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  return colon < 0 ? undefined : { name: pair.slice(0, colon), secret: pair.slice(colon + 1) };
}

/** Name and password of HTTP Basic; undefined where there are none. */
export function basicCredentials(
  authorization: string | undefined,
): { readonly username: string; readonly password: string } | undefined {
  const shown = shownSecret(authorization);
  if (shown?.name === undefined) return undefined;
  return { username: shown.name, password: shown.secret };
}
