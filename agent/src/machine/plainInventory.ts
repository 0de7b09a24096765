import os from "node:os";
import { type Inventory, UNKNOWN } from "./inventory.ts";

/** What the runtime alone tells of a host, on systems whose own files nobody reads. */
export function plainInventory(kernel: string, family: string): Inventory {
  return {
    kernel,
    read: async () => ({
      OSFullName: os.version(),
      OSVersion: os.release(),
      OSFamily: family,
      OSVirtualizationSystem: "",
      OSVirtualizationRole: "",
      CPUFamily: UNKNOWN,
      CPUModel: UNKNOWN,
      CPUVendor: UNKNOWN,
      unameEnd: [],
    }),
  };
}
