import { createHash } from "node:crypto";
import type { Account, Accounts } from "../account.ts";
import { SERVICE_NAME } from "./layouts.ts";

/** The account that Windows keeps for a service of that name, and for nothing else. */
const NAME = `NT SERVICE\\${SERVICE_NAME}`;

/** The SID of a service, which Windows makes of its name, so that it is known before the service is. */
export function serviceSid(service: string): string {
  const hash = createHash("sha1").update(Buffer.from(service.toUpperCase(), "utf16le")).digest();
  const parts = [0, 4, 8, 12, 16].map((at) => hash.readUInt32LE(at));
  return `S-1-5-80-${parts.join("-")}`;
}

const ACCOUNT: Account = { name: NAME, owner: { sid: serviceSid(SERVICE_NAME) }, isOurs: false };

/** The one account that runs the agent. It comes and goes with the service; nobody signs in to it. */
export const SERVICE_ACCOUNTS: Accounts = {
  defaultName: NAME,
  whyNot: (name) =>
    name === NAME
      ? undefined
      : `On Windows the agent runs as ${NAME}, an account of its service alone; --user cannot be used.`,
  whyNoTerminal: async () =>
    "On Windows the agent runs as an account that has no shell, so terminals cannot be allowed there.",
  find: async (name) => (name === NAME ? ACCOUNT : undefined),
  ensure: async () => ACCOUNT,
  remove: async () => {},
};
