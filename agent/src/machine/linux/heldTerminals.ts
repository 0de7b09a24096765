import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What whoever makes a terminal has open of it. */
const MASTER = /^\/dev\/(pts\/)?ptmx$/;
const INDEX = /^tty-index:\s*(\d+)$/m;

/**
 * The terminals that this process has made and not closed, as files. They are read from its own
 * descriptors, which no program on a terminal can change; systems before Linux 4.14 do not tell.
 */
export function heldTerminals(): ReadonlySet<string> {
  const numbers = readdirSync("/proc/self/fd").map(numberOf);
  return new Set(numbers.flatMap((number) => (number === undefined ? [] : [`/dev/pts/${number}`])));
}

function numberOf(descriptor: string): string | undefined {
  try {
    if (!MASTER.test(readlinkSync(`/proc/self/fd/${descriptor}`))) return undefined;
    return INDEX.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8"))?.[1];
  } catch {
    // It was the one of reading the folder.
    return undefined;
  }
}
