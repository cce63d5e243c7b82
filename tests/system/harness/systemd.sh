#!/bin/sh
# A systemd of a test's own, as the one of somebody who has logged in. This is the first process of namespaces
# that `unshare` made for it: whatever it mounts is gone with it, and nothing of the machine's is touched.
#
# HOME and XDG_RUNTIME_DIR are that person's. In STAGE, `secrets` stands for /var/lib/systemd.
#
# Says "ready", runs each line that it is given, and says how that ended. What the line says goes to STAGE/said.
set -e

mount --make-rprivate /
# systemd hands a credential over by a mount that has to reach the service.
mount --make-rshared /
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system
mount -t tmpfs tmpfs /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
# The key of the machine, with which systemd-creds encrypts.
mount --bind "$STAGE/secrets" /var/lib/systemd

# Where a user's credentials are sealed by a service of the system's (systemd 256).
if systemd-creds --help | grep -q -e --user; then
    systemd-socket-activate --accept --listen=/run/systemd/io.systemd.Credentials systemd-creds >"$STAGE/creds.log" 2>&1 &
fi

systemd=/usr/lib/systemd/systemd
[ -x $systemd ] || systemd=/lib/systemd/systemd
# Whatever else a desktop starts for somebody stays out of this.
units=/usr/lib/systemd/user
mkdir -p /run/units
for unit in basic default exit shutdown; do
    ln -s "$units/$unit.target" /run/units/
done
export SYSTEMD_UNIT_PATH="$HOME/.config/systemd/user:/run/units"
$systemd --user --log-target=console >>"$STAGE/systemd.log" 2>&1 </dev/null &

tries=0
until systemctl --user is-system-running --wait >"$STAGE/said" 2>&1 || grep -qx degraded "$STAGE/said"; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || { cat "$STAGE/said" "$STAGE/systemd.log" >&2; exit 1; }
    sleep 0.1
done
echo ready
set +e
while read -r line; do
    timeout 60 sh -c "$line" >"$STAGE/said" 2>&1 </dev/null
    echo $?
done
