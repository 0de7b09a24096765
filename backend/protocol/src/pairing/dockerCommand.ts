import { RportError } from "../errors.ts";
import type { TlsPin } from "../tls/tlsPin.ts";
import { shellQuote } from "./commands.ts";
import { tidyLine } from "./posixLine.ts";

/** What the line for a machine with Docker is made of. */
export interface DockerCommandParts {
  /** Where the agent enrols and will connect: `http(s)://host[:port][/path]`. */
  readonly url: string;
  /** The pairing service, where that is not the server: the token is claimed there. */
  readonly pairingUrl?: string | undefined;
  /** What the server's TLS key is recognised by; undefined: its certificate is trusted. */
  readonly tlsPin?: TlsPin | undefined;
  /** The pairing token. */
  readonly token: string;
}

/** What every `echo` prints as it is. */
const TOKEN = /^[A-Za-z0-9]+$/;

/**
 * The line to paste on a machine that has Docker and the agent's image, `rport-agent`: starts a container
 * whose volume, `rport-agent`, is the host. The token is in a file that only its owner can read, and that
 * is gone afterwards; it is in no argument and in no image. It works in any POSIX shell, leaves that open,
 * and its exit status is Docker's.
 */
export function dockerCommand({ url, pairingUrl, tlsPin, token }: DockerCommandParts): string {
  if (!TOKEN.test(token)) {
    throw new RportError("BAD_REQUEST", "A pairing token has letters and digits only.");
  }
  const server = variable("RPORT_SERVER", url);
  const pairing = pairingUrl === undefined ? "" : variable("RPORT_PAIRING", pairingUrl);
  const pin = tlsPin === undefined ? "" : variable("RPORT_TLS_PIN", tlsPin);
  const container = "-d --name rport-agent --restart unless-stopped -v rport-agent:/var/lib/rport";
  const steps = [
    "f=$(mktemp)",
    `echo RPORT_TOKEN=${token} > "$f"`,
    `docker run ${container}${server}${pairing}${pin} --env-file "$f" rport-agent`,
  ];
  return tidyLine(steps, 'rm -f "$f"');
}

function variable(name: string, value: string): string {
  return ` -e ${shellQuote(`${name}=${value}`)}`;
}
