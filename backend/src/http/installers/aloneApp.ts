import type { Express } from "express";
import { type BareAppDeps, bareApp } from "../bareApp.ts";
import { claimDoor } from "./claimDoor.ts";
import { type DepositDoorDeps, depositDoor } from "./depositDoor.ts";

/** What the pairing service's HTTP side needs. */
export interface AloneAppDeps extends BareAppDeps, Omit<DepositDoorDeps, "exchangeOf"> {}

/** Nothing of it is written down but in the log. */
const NO_AUDIT = { ready: () => Promise.resolve(), settled: () => Promise.resolve() };

/** The HTTP side of a pairing service apart from servers: what they deposit, and what hosts claim. */
export function createAloneApp(deps: AloneAppDeps): Express {
  const { desk, depositors } = deps;
  return bareApp(deps, {
    requireTaken: () => undefined,
    mount(app, exchangeOf) {
      app.get("/healthz", (request) => exchangeOf(request).sendJson(200, { alive: true }));
      app.use(claimDoor({ deposits: desk.deposits, audit: NO_AUDIT, exchangeOf }));
      app.use(depositDoor({ desk, depositors, exchangeOf }));
    },
  });
}
