/** The library's inner modules carry no types; `ssh2Engine.ts` says what we rely on. */
declare module "ssh2/lib/protocol/*" {
  const exported: unknown;
  export = exported;
}
