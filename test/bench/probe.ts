import { serve } from "./childPort.ts";
import { probeHandlers } from "./probeHandlers.ts";

// Loaded before a program with `--import`: the program itself runs unchanged.
serve(probeHandlers);
process.channel?.unref();
