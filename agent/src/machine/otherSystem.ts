import { CliFailure, EXIT } from "../cli/cliFailure.ts";
import { plainInventory } from "./plainInventory.ts";
import type { Platform } from "./platform.ts";

/** A system on which the agent runs, and has to be set up by hand: one of the BSDs, above all. */
export function otherSystem(name: string): Platform {
  return {
    title: name,
    dataDir: "/var/lib/rport",
    idReaders: ({ readFile, run }) => [
      () => readFile("/etc/hostid"),
      () => run("kenv", ["-q", "smbios.system.uuid"]),
    ],
    inventory: plainInventory(name, name),
    installing: () => {
      const sentence = `Installing is not possible on ${name}. Start the agent with "run -c FILE".`;
      throw new CliFailure(EXIT.unsupported, sentence);
    },
  };
}
