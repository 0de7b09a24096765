import { createRequire } from "node:module";
import { Language, type Node, Parser } from "web-tree-sitter";

const GRAMMAR = createRequire(import.meta.url).resolve(
  "tree-sitter-powershell/tree-sitter-powershell.wasm",
);

/** What stands behind `&&` or `||`. */
const NEWER = "pipeline_chain_tail";

/**
 * Where a text is not the PowerShell that 5.1 understands, as `line: text`. The grammar takes `?:`,
 * `??` and `?.` for mistakes, as 5.1 does; it knows `&&` and `||`, which 5.1 does not.
 */
export async function syntaxErrors(text: string): Promise<readonly string[]> {
  await Parser.init();
  const parser = new Parser();
  parser.setLanguage(await Language.load(GRAMMAR));
  const tree = parser.parse(text);
  if (tree === null) return ["it cannot be parsed"];
  return errorsBelow(tree.rootNode);
}

function errorsBelow(node: Node): readonly string[] {
  if (node.isError || node.isMissing || node.type === NEWER) {
    return [`${node.startPosition.row + 1}: ${node.text.slice(0, 80)}`];
  }
  return node.children.flatMap((child) => (child === null ? [] : errorsBelow(child)));
}
