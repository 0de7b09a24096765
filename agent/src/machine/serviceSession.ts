/** A process that a service manager started, which wants to be told how its services are. */
export interface ServiceSession {
  /** Resolves, with a word for why, when the service shall stop. */
  readonly stop: Promise<string>;
  /** Tells that the service runs. */
  running(): void;
  /** Tells that it has stopped, as it should. Who ends without this has crashed, and is started again. */
  ended(): void;
}
