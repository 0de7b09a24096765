#!/bin/sh
# The first process of a test system with OpenRC: what `openrc` does at boot, without the services
# that would set up a kernel, which is everybody's here. Then it waits for orphans for ever.
mkdir -p /run/openrc
for folder in starting started stopping inactive wasinactive failed hotplugged daemons options \
  exclusive scheduled init.d tmp; do
  mkdir -p "/run/openrc/$folder"
done
echo default >/run/openrc/softlevel
for name in /etc/runlevels/default/*; do
  [ -e "$name" ] || continue
  rc-service --nodeps "${name##*/}" start
done
echo ready >/run/ready
trap : CHLD
while :; do
  sleep 3600 &
  wait
done
