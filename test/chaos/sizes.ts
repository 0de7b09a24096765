/** How much of everything there is in a run, and how long each fault lasts. */
export interface Sizes {
  /** Agents that connect straight to the server. */
  readonly steady: number;
  /** Agents at the end of a bad line. */
  readonly afar: number;
  /** Agents whose credential is deleted during a fault. */
  readonly doomed: number;
  /** Agents that want to come in for the first time during a fault. */
  readonly late: number;
  /** Processes of the real agent, each with a tunnel that is used all the time. */
  readonly real: number;
  readonly editors: number;
  /** Editors that stop reading. */
  readonly stalled: number;
  readonly kills: number;
  readonly standstillMs: number;
  /** Everything else that lasts a while. */
  readonly faultMs: number;
}

/** 500 agents and 20 editors, about ten minutes. */
export const FULL: Sizes = {
  steady: 386,
  afar: 80,
  doomed: 20,
  late: 10,
  real: 4,
  editors: 20,
  stalled: 40,
  kills: 5,
  standstillMs: 30_000,
  faultMs: 40_000,
};

/** The same faults, about two minutes. */
export const SHORT: Sizes = {
  steady: 40,
  afar: 10,
  doomed: 5,
  late: 3,
  real: 2,
  editors: 5,
  stalled: 10,
  kills: 2,
  standstillMs: 12_000,
  faultMs: 5_000,
};
