/** Where tunnels listen unless somebody chose another address: nobody else reaches that. */
export const LOCAL_HOST = "127.0.0.1";

/** Whether an address means the host itself. */
export function isLoopback(address: string): boolean {
  return address === "localhost" || address === "::1" || /^127\./.test(address);
}

/** Whether others than this computer may reach what listens at an address of it. */
export function isExposed(address: string): boolean {
  return !isLoopback(address);
}
