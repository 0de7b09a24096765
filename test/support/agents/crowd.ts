import { FLEET } from "../backend/fleet.ts";
import { PeerAgent } from "./peerAgent.ts";

// Agents of the credential `fleet` that connect all at once, from one address, and once each: to
// the server of the first argument, with the password of the second, as many as the third says.
// Prints one line of JSON when each of them is in, or is not, and lives until it is killed.

/** What it prints: why those are not in that are not. */
export type CrowdOutcome = readonly string[];

const [url = "", password = "", count = ""] = process.argv.slice(2);
const joins = Array.from({ length: Number(count) }, (_, n) => {
  const introduction = { ID: `host-${n}`, Name: `host-${n}` };
  return PeerAgent.join({ url, user: FLEET, password, introduction });
});
const ends = await Promise.allSettled(joins);
const outcome: CrowdOutcome = ends
  .filter((end) => end.status === "rejected")
  .map(({ reason }) => String(reason));
process.stdout.write(`${JSON.stringify(outcome)}\n`);
