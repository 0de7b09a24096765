import type { Fault } from "./fault.ts";
import { badLine } from "./faults/badLine.ts";
import { clockSteps } from "./faults/clockSteps.ts";
import { descriptors } from "./faults/descriptors.ts";
import { fullDisk } from "./faults/fullDisk.ts";
import { kill } from "./faults/kill.ts";
import { slowDisk } from "./faults/slowDisk.ts";
import { stalledEditors } from "./faults/stalledEditors.ts";
import { standstill } from "./faults/standstill.ts";

/** Every fault, in order. The kills come last: they show that what the others left is on disk. */
export const FAULTS: readonly Fault[] = [
  standstill,
  stalledEditors,
  descriptors,
  clockSteps,
  badLine,
  slowDisk,
  fullDisk,
  kill,
];
