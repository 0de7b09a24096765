import { setFlagsFromString } from "node:v8";

/**
 * Keeps the space for what is new and soon gone as small as Node begins it, 1 MiB, once this is imported: before
 * all else, because what is loaded has it grow. Of a stream that has no end, the bytes lie outside of the
 * heap and few objects in it: a space of 16 MiB is not looked through before the bytes behind it call for a
 * search of the whole heap, again and again. Bun has no such space.
 */
if (process.versions.bun === undefined) setFlagsFromString("--semi-space-growth-factor=1");
