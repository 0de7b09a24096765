import { stripTypeScriptTypes } from "node:module";
import { type AnyNode, type Node, parse } from "acorn";

/** How long the parts of a source are, in lines, signature and braces included. */
export interface SourceShape {
  /** Functions and methods with a body in braces. */
  readonly functions: readonly number[];
  readonly classes: readonly { readonly name: string; readonly lines: number }[];
}

/** Measures TypeScript: its types are blanked out, which keeps each line where it is. */
export function shapeOf(typescript: string): SourceShape {
  const text = stripTypeScriptTypes(typescript);
  const functions: number[] = [];
  const classes: { name: string; lines: number }[] = [];
  for (const node of nodesOf(parse(text, SETTINGS))) {
    if (node.type === "ClassDeclaration") {
      classes.push({ name: node.id?.name ?? "a class", lines: linesOf(node) });
    }
    if (isFunction(node) && node.body.type === "BlockStatement") functions.push(linesOf(node));
  }
  return { functions, classes };
}

const SETTINGS = { ecmaVersion: "latest", sourceType: "module", locations: true } as const;

function isFunction(node: AnyNode) {
  return (
    node.type === "FunctionDeclaration" ||
    node.type === "FunctionExpression" ||
    node.type === "ArrowFunctionExpression"
  );
}

function linesOf({ loc }: Node): number {
  return loc ? loc.end.line - loc.start.line + 1 : 0;
}

/** The node and everything below it. */
function* nodesOf(node: object): Generator<AnyNode> {
  if ("type" in node && "start" in node) yield node as AnyNode;
  for (const value of Object.values(node)) {
    if (typeof value === "object" && value !== null) yield* nodesOf(value);
  }
}
