#!/bin/sh
# The agent in a container: enrols this host unless it is enrolled, and then is the agent.
#
#   RPORT_SERVER   the server's address, of the pairing
#   RPORT_PAIRING  where the token is claimed, when that is not the server
#   RPORT_TLS_PIN  what its TLS key is recognised by, where its certificate is trusted by nobody
#   RPORT_TOKEN    the pairing token; without it, standard input has it
#   RPORT_NAME     name of the host; optional
#
# The token is in no argument, which every user of the machine could see.
set -eu
umask 077
home=${RPORT_HOME:-/var/lib/rport}
config=$home/rport.conf

enrol() {
  if [ -z "${RPORT_SERVER:-}" ]; then
    echo 'This host is not enrolled: RPORT_SERVER and RPORT_TOKEN are needed, once.' >&2
    exit 2
  fi
  # A new id: images have a machine id that all their containers share, or none.
  set -- enroll --server "$RPORT_SERVER" --token-stdin --config "$config" --data-dir "$home" --new-id
  [ -z "${RPORT_PAIRING:-}" ] || set -- "$@" --pairing "$RPORT_PAIRING"
  [ -z "${RPORT_TLS_PIN:-}" ] || set -- "$@" --tls-pin "$RPORT_TLS_PIN"
  [ -z "${RPORT_NAME:-}" ] || set -- "$@" --name "$RPORT_NAME"
  if [ -n "${RPORT_TOKEN:-}" ]; then
    # Of the shell itself, hence in no list of processes.
    echo "$RPORT_TOKEN" | rport-agent "$@"
  else
    rport-agent "$@"
  fi
}

[ -e "$config" ] || enrol
unset RPORT_TOKEN
exec rport-agent run -c "$config" </dev/null
