import { CliFailure, EXIT } from "../../cli/cliFailure.ts";
import { behindLabel } from "../machineId.ts";
import { plainInventory } from "../plainInventory.ts";
import type { Platform } from "../platform.ts";

const KEY = "HKLM\\SOFTWARE\\Microsoft\\Cryptography";
const REG = ["query", KEY, "/v", "MachineGuid", "/reg:64"];
const GUID = /MachineGuid\s+REG_SZ\s+(\S+)/;

/** Windows. */
export const WINDOWS: Platform = {
  title: "Windows",
  dataDir: "C:\\ProgramData\\rport",
  idReaders: ({ run }) => [behindLabel(() => run("reg.exe", REG), GUID)],
  inventory: plainInventory("windows", "win32"),
  installing: () => {
    throw new CliFailure(EXIT.unsupported, "Installing is not possible on Windows yet.");
  },
};
