import type { ListeningPort } from "@rport/protocol/tunnels/listening";
import { type ListenerReader, plainAddress } from "../listeners.ts";
import { outputOf } from "../programs.ts";

/** Numbers for names; whole names of programs; a letter in front of each field. */
const LSOF = ["-nP", "+c0", "-iTCP", "-sTCP:LISTEN", "-F", "pctn"];

/** What `lsof` tells of listeners; only of processes that the agent may see. */
export const macosListeners: ListenerReader = async (signal) =>
  parseLsof(await outputOf("/usr/sbin/lsof", LSOF, signal));

/** The listeners in what `lsof -F pctn` prints: `c` a program, `t` the family, `n` the place. */
export function parseLsof(text: string): readonly ListeningPort[] {
  const last = { c: "", t: "" };
  return text.split("\n").flatMap((line) => {
    const [field, value] = [line.slice(0, 1), line.slice(1)];
    if (field === "c" || field === "t") last[field] = value;
    return field === "n"
      ? placeOf(value, last.t).map((place) => ({ ...place, process: last.c }))
      : [];
  });
}

/** `*:22`, `127.0.0.1:631` or `[::1]:631`. */
function placeOf(
  written: string,
  family: string,
): readonly Pick<ListeningPort, "port" | "address">[] {
  const [, v6, v4 = "", port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(written) ?? [];
  const any = family === "IPv6" ? "::" : "0.0.0.0";
  const address = v4 === "*" ? any : plainAddress(v6 ?? v4);
  return address === undefined || !(Number(port) > 0) ? [] : [{ port: Number(port), address }];
}
