import os from "node:os";
import { type Inventory, UNKNOWN } from "../inventory.ts";

const VERSION_FILE = "/System/Library/CoreServices/SystemVersion.plist";
const VERSION = /ProductVersion<\/key>\s*<string>([^<]+)/;

/** What macOS tells of a host. */
export const MACOS_INVENTORY: Inventory = {
  kernel: "darwin",
  read: async ({ read }) => {
    const version = VERSION.exec(await read(VERSION_FILE))?.[1];
    return {
      OSFullName: version === undefined ? os.version() : `macOS ${version}`,
      OSVersion: version ?? os.release(),
      OSFamily: "darwin",
      OSVirtualizationSystem: "",
      OSVirtualizationRole: "",
      CPUFamily: UNKNOWN,
      CPUModel: UNKNOWN,
      CPUVendor: UNKNOWN,
      unameEnd: [],
    };
  },
};
