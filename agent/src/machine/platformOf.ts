import { LINUX } from "./linux/linux.ts";
import { MACOS } from "./macos/macos.ts";
import { otherSystem } from "./otherSystem.ts";
import type { Platform } from "./platform.ts";
import { WINDOWS } from "./windows/windows.ts";

/** The platform of that name; the only place that knows how Node calls operating systems. */
export function platformOf(name: NodeJS.Platform): Platform {
  switch (name) {
    case "linux":
      return LINUX;
    case "darwin":
      return MACOS;
    case "win32":
      return WINDOWS;
    default:
      return otherSystem(name);
  }
}
