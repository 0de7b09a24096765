import { stripTypeScriptTypes } from "node:module";
import { type AnyNode, type Node, type ObjectExpression, parse } from "acorn";

/** The texts of a source that somebody may read. */
export interface OwnTexts {
  /** What a translation is looked up by: first arguments of `t` of `@vscode/l10n`. */
  readonly keys: readonly string[];
  /** What looks like English and is said in no other language. */
  readonly untranslated: readonly string[];
}

/** Two words behind each other, or a word beside a value, or one with a capital letter: no identifier. */
const LOOKS_READ =
  /[A-Za-z]{2,}[,:]? [A-Za-z]{2,}|[A-Za-z]{2,}[,:]? \u2026|\u2026[,:]? [A-Za-z]{2,}|^[A-Z][a-z]{2,}(?:\.\.\.|\u2026|\.)?$/;

/** What is called with texts that nobody reads in the editor: a log, or a mistake of the source's. */
const UNREAD = /^(?:log|warn|info|debug|error|Error|TypeError|RangeError)$/;

/** Reads TypeScript without its types. */
export function ownTexts(typescript: string): OwnTexts {
  const text = stripTypeScriptTypes(typescript);
  const found = { keys: [] as string[], untranslated: [] as string[] };
  collect(parse(text, { ecmaVersion: "latest", sourceType: "module" }), found, text);
  return found;
}

function collect(
  node: Node,
  found: { readonly keys: string[]; readonly untranslated: string[] },
  text: string,
): void {
  const each = node as AnyNode;
  if (each.type === "ImportDeclaration") return;
  if (each.type === "CallExpression" || each.type === "NewExpression") {
    const name = calledName(each.callee as AnyNode);
    if (UNREAD.test(name)) found = { ...found, untranslated: [] };
    const [first, ...others] = each.arguments;
    if (name === "t" && first !== undefined) {
      found.keys.push(keyOf(first as AnyNode, text));
      for (const other of others) collect(other, found, text);
      return;
    }
  }
  const said = saidBy(each);
  if (said !== undefined && LOOKS_READ.test(said)) found.untranslated.push(said);
  for (const child of childrenOf(each)) collect(child, found, text);
}

function calledName(callee: AnyNode): string {
  if (callee.type === "Identifier") return callee.name;
  if (callee.type !== "MemberExpression") return "";
  return callee.property.type === "Identifier" ? callee.property.name : "";
}

/** The text itself; where translators are told something with it, the library puts that behind it. */
function keyOf(argument: AnyNode, text: string): string {
  if (argument.type === "Literal" && typeof argument.value === "string") return argument.value;
  if (argument.type === "ArrayExpression") {
    return argument.elements.map((part) => keyOf(part as AnyNode, text)).join("");
  }
  if (argument.type === "ObjectExpression") {
    const message = memberOf(argument, "message");
    const comment = memberOf(argument, "comment");
    if (message !== undefined && comment !== undefined) {
      return `${keyOf(message, text)}/${keyOf(comment, text)}`;
    }
  }
  throw new Error(`not a text that can be looked up: ${text.slice(argument.start, argument.end)}`);
}

function memberOf(object: ObjectExpression, name: string): AnyNode | undefined {
  for (const property of object.properties) {
    if (property.type !== "Property" || property.key.type !== "Identifier") continue;
    if (property.key.name === name) return property.value as AnyNode;
  }
  return undefined;
}

function saidBy(node: AnyNode): string | undefined {
  if (node.type === "Literal" && typeof node.value === "string") {
    return saidByPage(node.value);
  }
  if (node.type !== "TemplateLiteral") return undefined;
  return saidByPage(node.quasis.map(({ value }) => value.cooked ?? "").join("…"));
}

/** What a page says apart from its tags and styles; a text that has none is left as it is. */
function saidByPage(text: string): string {
  return text
    .replaceAll(
      /<[!/a-z][^>]*>/g,
      (tag) => / (?:alt|title|placeholder|aria-label)="([^"]*)"/.exec(tag)?.[1] ?? "",
    )
    .replaceAll(/\{[^{}]*; \}/g, "");
}

function* childrenOf(node: object): Generator<Node> {
  for (const value of Object.values(node)) {
    if (typeof value !== "object" || value === null) continue;
    if ("type" in value && "start" in value) yield value as Node;
    else if (Array.isArray(value)) yield* childrenOf(value);
  }
}
