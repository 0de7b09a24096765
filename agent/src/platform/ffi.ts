/** A function of a library, as Bun calls it: with numbers, and pointers as numbers. */
type Foreign = (...args: readonly (number | null)[]) => number;

/** How a function of a library is called: the types of its arguments and of what it returns. */
interface Signature {
  readonly args: readonly ("ptr" | "u32" | "i32")[];
  readonly returns: "ptr" | "u32" | "i32" | "void";
}

/** A function of ours that a library calls. It is called later, on our own thread. */
export interface ForeignCallback {
  readonly ptr: number;
}

/** What of Bun's `bun:ffi` is used here. */
export interface Ffi {
  dlopen<K extends string>(
    library: string,
    signatures: Readonly<Record<K, Signature>>,
  ): { readonly symbols: Readonly<Record<K, Foreign>> };
  readonly JSCallback: new (
    call: (...args: readonly number[]) => void,
    signature: Signature & { readonly threadsafe: true },
  ) => ForeignCallback;
  ptr(memory: NodeJS.ArrayBufferView): number;
}

/** Bun's door to the libraries of the system; undefined in a Node, which has none. */
export function foreignFunctions(): Ffi | undefined {
  const load: ((name: string) => unknown) | undefined = process.getBuiltinModule;
  return load?.("bun:ffi") as Ffi | undefined;
}

/** A text as functions of Windows take it; who keeps the buffer keeps the text. */
export const wideText = (text: string): Buffer => Buffer.from(`${text}\0`, "utf16le");
