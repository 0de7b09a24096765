import { closeSync, constants, openSync } from "node:fs";
import type { Shells, Stopping } from "../machine/shells.ts";
import { type Ffi, foreignFunctions } from "../platform/ffi.ts";

/** Lets the programs on terminals wait, whatever they made of its keys. */
export interface Brake {
  /** For a terminal, by its file. */
  on(device: string): TerminalBrake;
}

/** The same of one terminal; each answers whether it worked. */
export interface TerminalBrake {
  stop(): boolean;
  goOn(): boolean;
}

const SIGNATURES = { tcflow: { args: ["i32", "i32"], returns: "i32" } } as const;

/** What this system and runtime have for that; undefined: nothing. */
export function findBrake({ stopping }: Pick<Shells, "stopping">): Brake | undefined {
  const ffi = stopping && foreignFunctions();
  const flow = ffi && tcflowOf(ffi, stopping.libraries);
  return flow && { on: (device) => brakeOn(flow, stopping, device) };
}

type Tcflow = (descriptor: number, action: number) => number;

function tcflowOf(ffi: Ffi, libraries: readonly string[]): Tcflow | undefined {
  for (const library of libraries) {
    try {
      return ffi.dlopen(library, SIGNATURES).symbols.tcflow;
    } catch {
      // The next one is that of another system.
    }
  }
  return undefined;
}

function brakeOn(flow: Tcflow, stopping: Stopping, device: string): TerminalBrake {
  return {
    stop: () => done(flow, device, stopping.stop),
    goOn: () => done(flow, device, stopping.goOn),
  };
}

/** It is opened for that alone: as long as somebody has it open, its end cannot be seen. */
function done(flow: Tcflow, device: string, action: number): boolean {
  try {
    const descriptor = openSync(device, constants.O_RDWR | constants.O_NOCTTY);
    try {
      return flow(descriptor, action) === 0;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return false;
  }
}
