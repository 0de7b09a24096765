/** From this number on messages are the connection's (RFC 4250 4.1.1); those below are of keys and of the login. */
export const LOWEST_CONNECTION_MESSAGE = 80;
/** The largest packet that everybody must take (RFC 4253 6.1). No message of keys or of the login needs more. */
export const SMALL_PACKET_BYTES = 35_000;
