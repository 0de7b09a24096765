import type { Config } from "./config/config.ts";
import { isLocal, placesOf } from "./place.ts";

/** A key seed of fewer characters can be guessed. */
const SEED_LENGTH = 16;

/** What is allowed, and better not so: sentences for the log. */
export function warningsOf(config: Config): readonly string[] {
  return [...aboutSeed(config), ...aboutClearText(config)];
}

function aboutSeed({ keySeed }: Config): readonly string[] {
  if (keySeed === undefined || keySeed.length >= SEED_LENGTH) return [];
  return [
    `server.key_seed has fewer than ${SEED_LENGTH} characters: who guesses it has the server's key. Keep it only for clients that know its fingerprint.`,
  ];
}

/** An address that begins with https is a proxy's, which speaks TLS in this server's place. */
function aboutClearText(config: Config): readonly string[] {
  const users = placesOf(config).find(({ faces }) => faces.has("users"));
  if (users === undefined || isLocal(users) || users.tls !== undefined) return [];
  if (config.serverUrls.some((url) => url.startsWith("https:"))) return [];
  return [
    'Passwords of people go over the network in clear: set server.cert_file and server.key_file, or server.tls = "self-signed", or put a proxy in front that speaks TLS and set server.url to its https address.',
  ];
}
