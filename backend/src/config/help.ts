/** What `--help` prints. */
export const HELP = `Usage: rport-backend [flags]
       rport-backend pairing [flags]                  a pairing service alone; see pairing --help
       rport-backend audit verify [flags]             checks the audit log; see audit --help
       rport-backend tls COMMAND [flags]              the pin of a key of its own, or another key; see tls --help
       rport-backend import-credentials FILE [flags]  takes over RPort's client-auth.json; see its --help
       rport-backend user COMMAND [flags]             users, tokens, invitations; see user --help

  -c, --config FILE        a TOML file with the settings below
      --data-dir DIR       where everything is kept      [server] data_dir
      --address HOST:PORT  agents, pairing and users     [server] address      127.0.0.1:8080
      --port PORT          only the port of it; 0 takes any free one
      --api-address H:P    users apart from agents       [api] address
      --tls self-signed    speak TLS with a key of its own, recognised by its pin  [server] tls
      --pairing-ttl TIME   how long a pasted line works  [pairing] ttl         10m
      --log-level LEVEL    debug, info, warn or error    [logging] log_level   info
      --log-file FILE      instead of standard error     [logging] log_file
      --print-admin-code   print the code of the first administrator though no terminal shows it
      --accept-lost-changes
                           start although files lack changes that were made
  -h, --help
  -v, --version

Only in the file or the environment:
  [server]  url                              where agents reach the server, best first
            cert_file, key_file              what TLS is spoken with
            key_seed                         derives the server's key
            used_ports                       ports for tunnels                 20000-30000
            excluded_ports                   those of them that are not
            trusted_proxies                  whose X-Forwarded-For counts
            client_auth_password_min_length  of typed client passwords         12
  [api]     password_min_length              of users' passwords               12
            totp_required                    everybody needs a second factor   false
  [metrics] address                          figures for Prometheus, without a token
  [tunnels] bind                             where tunnels listen              127.0.0.1
  [terminals] record                         every terminal is recorded        false
  [pairing] url                              a pairing service apart from this server
            service                          sealed, or rport-pairing: RPort's own  sealed
            key_file                         by which it knows this server
            plain_text                       secrets may go to RPort's service in public
  [limits]  all keys are in docs/configuration.md

Environment: RPORT_<SECTION>_<KEY>, such as RPORT_SERVER_ADDRESS, and RPORT_CONFIG for the file.
A flag wins over the environment, the environment over the file.`;
