/**
 * How one call of a tool goes wrong. `fails`: it does nothing. `failsLate`: it does its work and says
 * that it failed. `killsCaller`: what called it is killed. `killsAll`: all that the line runs is killed,
 * as by a power cut. `interrupts`: somebody presses Ctrl-C meanwhile.
 */
export const TOOL_FAULTS = ["fails", "interrupts", "killsCaller", "failsLate", "killsAll"] as const;

/** How one call of a tool goes wrong. */
export type ToolFault = (typeof TOOL_FAULTS)[number];

/** One call of a tool. */
export interface ToolCall {
  readonly tool: string;
  /** The first is 1. */
  readonly at: number;
}

/** Tools that the script calls, and what those replace where they are missing. */
export const SCRIPT_TOOLS: readonly string[] = [
  ..."cat chmod curl env getconf grep gzip head id ldd ls mktemp node".split(" "),
  ..."openssl readlink rm sed sha256sum shasum sleep tail uname wc wget xz".split(" "),
];

/** Tools that the agent calls, to install itself. */
export const SERVICE_TOOLS: readonly string[] = [
  ..."getent groupdel journalctl loginctl rc-service rc-update".split(" "),
  ..."systemctl update-rc.d useradd userdel".split(" "),
];

/** A machine whose tools are wrapped. */
export interface ToolMachine {
  /** A directory that only their caller sees. */
  readonly state: string;
  /** Runs a script of a shell there. Resolves with what it says. */
  sh(script: string): Promise<string>;
}

/** The calls of tools on a machine, of which one at a time can be made to go wrong. */
export class ToolFaults {
  readonly #machine: ToolMachine;

  constructor(machine: ToolMachine) {
    this.#machine = machine;
  }

  /** Lets this call go wrong, counted from now on. */
  async plan(fault: ToolFault, { tool, at }: ToolCall): Promise<void> {
    await this.clear();
    await this.#machine.sh(`echo ${fault} ${at} >${this.#machine.state}/plan.${tool}`);
  }

  /** Lets all be well again, and counts anew. */
  async clear(): Promise<void> {
    await this.#machine.sh(`rm -f ${this.#machine.state}/*`);
  }

  /** All calls since it was cleared. */
  async calls(): Promise<readonly ToolCall[]> {
    const { state, sh } = this.#machine;
    const list = `for f in ${state}/count.*; do read n <$f && echo "\${f##*/count.} $n"; done`;
    const lines = (await sh(list)).trim().split("\n");
    return lines.flatMap((line) => {
      const [tool = "", count] = line.split(" ");
      return Array.from({ length: Number(count) }, (_, n) => ({ tool, at: n + 1 }));
    });
  }
}

/** A program in the place of a tool: it counts its calls in `state`, and one of them goes wrong. */
export function faultyTool(tool: string, real: string, state: string): string {
  return `#!/bin/sh
n=0 fault='' at=''
{ read -r n <${state}/count.${tool}; } 2>/dev/null
n=$((n + 1))
{ echo $n >${state}/count.${tool}; } 2>/dev/null
{ read -r fault at <${state}/plan.${tool}; } 2>/dev/null
[ "$at" = $n ] || exec ${real} "$@"
case $fault in
  fails) echo 'injected' >&2; exit 1 ;;
  failsLate) ${real} "$@"; echo 'injected' >&2; exit 1 ;;
  killsCaller) kill -KILL $PPID; exit 1 ;;
  killsAll) kill -KILL 0 ;;
  interrupts) kill -INT 0; exec ${real} "$@" ;;
esac
`;
}
