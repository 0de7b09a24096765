/** Where the people of an `rportd` come from, and what is done here. */
const PEOPLE =
  "take the line out: people are users of this server, whom the command user makes (docs/rport.md)";
const PROXY = "put a reverse proxy in front that ends TLS, and name it in [server] trusted_proxies";
const ACME =
  "get the certificate with a program such as certbot, and name it in cert_file and key_file, from where new ones are taken without a restart";
const LIMITS = "take the line out: [limits] has the bounds of this server";
const CUSTOMARY = "take the line out: it is always so here, or decided by the server";
const NOT_YET = "take the line out: this server does not have that";
const CREDENTIALS =
  "create the credentials with POST /api/v1/clients-auth or the command import-credentials; they are kept in the data directory";
const AUDIT = "take the line out: the audit log is always on and keeps everything";

/** What to do about a key of `rportd.conf` that has no counterpart here, by `section.key`. */
const KEYS: Readonly<Record<string, string>> = {
  "server.auth": CREDENTIALS,
  "server.auth_file": CREDENTIALS,
  "server.auth_table": CREDENTIALS,
  "server.auth_multiuse_creds":
    "take the line out: a credential of the kind fleet is for many hosts",
  "server.auth_write": CUSTOMARY,
  "server.equate_clientauthid_clientid": "take the line out: hosts have their own client ids here",
  "server.pairing_url":
    'take the line out: this server does its pairing itself, or set [pairing] url and service = "rport-pairing"',
  "server.tunnel_host": NOT_YET,
  "server.proxy": "take the line out: nothing but agents, people and installers is served here",
  "server.sqlite_wal": CUSTOMARY,
  "server.max_concurrent_ssh_handshakes": LIMITS,
  "server.max_request_bytes_client": LIMITS,
  "server.client_login_wait": CUSTOMARY,
  "server.max_failed_login": CUSTOMARY,
  "server.ban_time": CUSTOMARY,
  "server.purge_disconnected_clients":
    "take the line out: records stay until somebody deletes them",
  "server.keep_disconnected_clients": "take the line out: records stay until somebody deletes them",
  "server.purge_disconnected_clients_interval":
    "take the line out: records stay until somebody deletes them",
  "server.check_clients_connection_interval": CUSTOMARY,
  "server.check_clients_connection_timeout": CUSTOMARY,
  "server.check_port_timeout": CUSTOMARY,
  "server.allow_root": "take the line out, and run the server as a user of its own",
  "server.run_remote_cmd_timeout_sec": NOT_YET,
  "server.jobs_max_results": NOT_YET,
  "server.acme_http_port": ACME,
  "server.tunnel_proxy_cert_file": NOT_YET,
  "server.tunnel_proxy_key_file": NOT_YET,
  "server.tunnel_enable_acme": NOT_YET,
  "server.tunnel_cors": NOT_YET,
  "server.novnc_root": NOT_YET,
  "server.guacd_address": NOT_YET,
  "api.base_url": "take the line out; where agents reach the server is [server] url",
  "api.enable_acme": ACME,
  "api.cors": "take the line out: pages of other origins are refused",
  "api.doc_root": "serve the pages from the reverse proxy in front",
  "api.jwt_secret": "take the line out: nothing is signed with it",
  "api.auth": PEOPLE,
  "api.auth_file": PEOPLE,
  "api.auth_user_table": PEOPLE,
  "api.auth_group_table": PEOPLE,
  "api.auth_group_details_table": PEOPLE,
  "api.auth_header": PEOPLE,
  "api.user_header": PEOPLE,
  "api.create_missing_users": PEOPLE,
  "api.default_user_group": PEOPLE,
  "api.two_fa_token_delivery": PEOPLE,
  "api.two_fa_token_ttl_seconds": PEOPLE,
  "api.two_fa_send_timeout": PEOPLE,
  "api.two_fa_send_to_type": PEOPLE,
  "api.two_fa_send_to_regex": PEOPLE,
  "api.totp_enabled": PEOPLE,
  "api.totp_login_session_ttl": PEOPLE,
  "api.totp_account_name": PEOPLE,
  "api.password_zxcvbn_minscore": PEOPLE,
  "api.user_login_wait": CUSTOMARY,
  "api.max_failed_login": CUSTOMARY,
  "api.ban_time": CUSTOMARY,
  "api.access_log_file": "take the line out: what people do is in the audit log",
  "api.enable_audit_log": AUDIT,
  "api.use_ip_obfuscation": AUDIT,
  "api.audit_log_rotation": AUDIT,
  "api.max_request_bytes": LIMITS,
  "api.max_filepush_size": NOT_YET,
  "api.enable_ws_test_endpoints": CUSTOMARY,
};

/** The same for whole sections. */
const WHOLE_SECTIONS: Readonly<Record<string, string>> = {
  database: "take the section out: everything is kept in the data directory",
  "caddy-integration": PROXY,
  pushover: NOT_YET,
  smtp: NOT_YET,
  notifications: NOT_YET,
  monitoring: NOT_YET,
  "plus-plugin": NOT_YET,
  "plus-license": NOT_YET,
  "plus-oauth": NOT_YET,
  "plus-alerting": NOT_YET,
};

/**
 * What to do instead of a setting of `rportd.conf` that has no effect here; `key` is undefined for a
 * whole section. Undefined: RPort's server does not know it either.
 */
export function insteadOf(section: string, key?: string): string | undefined {
  if (key === undefined) return own(WHOLE_SECTIONS, section);
  return own(KEYS, `${section}.${key}`);
}

function own(table: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
