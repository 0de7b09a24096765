import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { ListeningMemory } from "../../../../extension/src/servers/localBackend/listening.ts";
import { LocalBackend } from "../../../../extension/src/servers/localBackend/localBackend.ts";
import type { Clock } from "../../../../extension/src/support/clock.ts";

const DAY_MS = 86_400_000;

/** A clock that somebody sets by so much at each look at it; so much of a wait passes. */
function setBy(ms: number, passing: number): Clock {
  let steadyMs = 0;
  let wallMs = Date.UTC(2030, 0, 1);
  return {
    now: () => {
      wallMs += ms;
      return wallMs;
    },
    monotonic: () => steadyMs,
    after(delayMs, run) {
      const timer = setTimeout(() => {
        steadyMs += delayMs * passing;
        wallMs += delayMs * passing;
        run();
      }, 1);
      return { cancel: () => clearTimeout(timer) };
    },
  };
}

/** A process that can be told to end, with what it does then. */
async function running(onTerm: string): Promise<ChildProcess & { readonly pid: number }> {
  const script = `process.on("SIGTERM", () => { ${onTerm} }); console.log("up"); setInterval(() => {}, 9e8);`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "ignore"] });
  await once(child.stdout, "data");
  const { pid } = child;
  if (pid === undefined) throw new Error("nothing was started");
  return Object.assign(child, { pid });
}

function backendOf(clock: Clock): LocalBackend {
  return new LocalBackend({
    environment: { platform: "linux", homeDirectory: "/none", uid: 1, variable: () => undefined },
    extensionPath: "/none",
    listening: new ListeningMemory({ get: () => undefined, update: async () => undefined }),
    clock,
  });
}

describe("a local backend that is told to stop", () => {
  it("has its time, also when the computer's clock is set forward meanwhile", async () => {
    const child = await running("setTimeout(() => process.exit(), 20)");
    try {
      await expect(backendOf(setBy(DAY_MS, 0)).stop(child)).resolves.toBeUndefined();
    } finally {
      child.kill("SIGKILL");
    }
  });

  it("is not waited for without end, also when the computer's clock is set back meanwhile", async () => {
    const child = await running("");
    try {
      await expect(backendOf(setBy(-DAY_MS, 1)).stop(child)).rejects.toMatchObject({
        code: "UNAVAILABLE",
      });
    } finally {
      child.kill("SIGKILL");
    }
  });
});
