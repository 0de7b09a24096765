// The backend's program, with a fault that its callers can ask for: what nobody catches ends it.
process.once("SIGWINCH", () => {
  throw new Error("thrown on purpose");
});
await import("../../../backend/src/main.ts");
