import { textOf } from "../repository.ts";

/** A line of a Dockerfile, put together where it goes over several. */
export interface Instruction {
  readonly name: string;
  readonly value: string;
}

/** A part of a Dockerfile that begins with `FROM`. */
export interface Stage {
  readonly from: string;
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

const COMMENT = /^\s*#.*\n/gm;
const FROM = /^(\S+)(?: AS (\S+))?$/;

/** The stages of a Dockerfile of this repository. Throws for what is no Dockerfile. */
export function stagesOf(path: string): readonly Stage[] {
  const lines = textOf(path)
    .replace(COMMENT, "")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n");
  const stages: { from: string; name: string; instructions: Instruction[] }[] = [];
  for (const line of lines.filter((one) => one.trim() !== "")) {
    const [, name = "", value = ""] = /^([A-Z]+) +(.*)$/.exec(line) ?? [];
    if (name === "FROM") stages.push(stageOf(value));
    else if (name !== "" && stages.length > 0) stages.at(-1)?.instructions.push({ name, value });
    else throw new Error(`${path}: this is no instruction: ${line}`);
  }
  return stages;
}

function stageOf(value: string) {
  const [, from = "", name = ""] = FROM.exec(value) ?? [];
  return { from, name, instructions: [] };
}

/** What the instructions of a stage say, those of the stages that it is made from included. */
export function instructionsOf(stages: readonly Stage[], name: string): readonly Instruction[] {
  const stage = stages.find((one) => one.name === name);
  if (stage === undefined) return [];
  return [...instructionsOf(stages, stage.from), ...stage.instructions];
}

/** The values of one instruction, in order. */
export function valuesOf(instructions: readonly Instruction[], name: string): readonly string[] {
  return instructions.filter((one) => one.name === name).map(({ value }) => value);
}

/** What `ENV` says. */
export function environmentOf(instructions: readonly Instruction[]): Record<string, string> {
  const words = valuesOf(instructions, "ENV").flatMap((value) => value.split(/ +/));
  return Object.fromEntries(words.map((word) => word.split("=", 2) as [string, string]));
}

/** The program that an instruction names in its exec form. */
export function programOf(instructions: readonly Instruction[], name: string): readonly string[] {
  const value = valuesOf(instructions, name).at(-1) ?? "";
  return JSON.parse(value.slice(value.indexOf("[")));
}
