import { CliFailure, EXIT } from "../../cli/cliFailure.ts";
import { behindLabel } from "../machineId.ts";
import type { Platform } from "../platform.ts";
import { MACOS_INVENTORY } from "./inventory.ts";

const IOREG = ["-rd1", "-c", "IOPlatformExpertDevice"];
const UUID = /"IOPlatformUUID" = "([^"]+)"/;

/** macOS. */
export const MACOS: Platform = {
  title: "macOS",
  dataDir: "/var/lib/rport",
  idReaders: ({ run }) => [behindLabel(() => run("ioreg", IOREG), UUID)],
  inventory: MACOS_INVENTORY,
  installing: () => {
    throw new CliFailure(EXIT.unsupported, "Installing is not possible on macOS yet.");
  },
};
