import type { Findable } from "../../../../extension/src/ssh/findHost.ts";
import type { Host } from "../../../../extension/src/ssh/hosts.ts";

/** These hosts, all of which `ssh` can be told of. */
export function findable(hosts: readonly Host[]): Findable {
  return { all: hosts, everyone: hosts };
}
