import { setFlagsFromString } from "node:v8";

/**
 * Lets the heap grow to four times its size before it is searched again, once this is imported. The bytes of streams lie
 * outside of the heap, and by V8's own measure a heap of 30 MB is searched for each 16 MB of them. With less than four
 * times, signing in costs nearly twice as much where 5,000 agents are known. The flag is V8's, of which Node says nothing:
 * on a command line one that a later Node lacks would stop the start, here V8 says on the standard error that it
 * knows none, and goes on.
 */
setFlagsFromString("--heap-growing-percent=300");
