import { expect } from "vitest";
import { eventually } from "../eventually.ts";
import type { System } from "./system.ts";

const DEADLINE_MS = 20_000;

/** Runs a script of a page inside, as somebody does who pastes it; what it said. */
export async function follow(system: System, script: string, input = ""): Promise<string> {
  const { code, stdout, stderr } = await system.exec("bash", ["-c", script], { input });
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout + stderr;
}

/** Waits until a server inside says that it is alive; arguments of curl. */
export async function answers(system: System, ...url: readonly string[]): Promise<void> {
  await eventually(async () => {
    expect(await system.exec("curl", ["-fsS", ...url])).toMatchObject({
      code: 0,
      stdout: '{"alive":true}',
    });
  }, DEADLINE_MS);
}

/** As confined as the agent, and the account writes to nothing of the program in this folder. */
export async function expectConfined(system: System, name: string, folder: string): Promise<void> {
  const { stdout } = await system.exec("systemd-analyze", [
    "security",
    "--no-pager",
    `${name}.service`,
  ]);
  const exposure = /Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1];
  expect(Number(exposure)).toBeLessThanOrEqual(2);
  const script = `find ${folder} /etc/systemd/system -writable -not -type l | head -n 1`;
  const found = await system.exec("runuser", [`--user=${name}`, "--", "sh", "-c", script]);
  expect(found).toMatchObject({ code: 0, stdout: "" });
}
