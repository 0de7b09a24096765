// Runs programs; everything in scripts/ that starts one comes through here.
import { spawn } from "node:child_process";
import { projectPath, root } from "./paths.mjs";

/** Colours are for people at a terminal; some tools take CI=true for one. */
const colors = process.stdout.isTTY ? {} : { NO_COLOR: "1", FORCE_COLOR: undefined };

/**
 * Runs a program to its end. With `quiet`, its output is only collected; else it is shown as it
 * comes.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ quiet?: boolean, cwd?: string, env?: Record<string, string | undefined> }} options
 * @returns {Promise<{ code: number, output: string }>} code 127 when the program cannot be started
 */
export function run(program, args, { quiet = false, cwd = root, env = {} } = {}) {
  return new Promise((done) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, PATH: projectPath, ...colors, ...env },
      stdio: ["ignore", quiet ? "pipe" : "inherit", quiet ? "pipe" : "inherit"],
      // npm is a .cmd file there, which only a shell starts
      shell: process.platform === "win32" && program === "npm",
    });
    let output = "";
    const collect = (chunk) => {
      output += chunk;
    };
    child.stdout?.setEncoding("utf8").on("data", collect);
    child.stderr?.setEncoding("utf8").on("data", collect);
    child.once("error", (error) => done({ code: 127, output: `${output}${error.message}\n` }));
    child.once("close", (code, signal) => {
      done({ code: code ?? 1, output: signal ? `${output}ended by ${signal}\n` : output });
    });
  });
}
