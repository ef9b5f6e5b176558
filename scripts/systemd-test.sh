#!/usr/bin/env bash
# Install the Debian package that scripts/package.sh has made on a throw-away copy of this system, boot that with systemd as its
# process 1, and see the daemon run as its unit says: started, reloaded, killed, stopped, with all that the unit forbids, and
# somebody logging in by it. The copy is an overlay in memory, with everything of its own: this system does not change. Needs
# root and a kernel with version 2 of control groups.
#
# usage: scripts/systemd-test.sh [FILE.deb]
set -euo pipefail

fail() {
    printf 'systemd-test: %s\n' "$@" >&2
    exit 1
}

if [[ ${1-} != --inside ]]; then
    ((EUID == 0)) || fail 'run this as root: it makes mounts'
    cd "$(dirname "$0")/.."
    deb=${1-$(find target/debian -maxdepth 1 -name 'netinfo_*.deb' -printf '%T@ %p\n' 2>/dev/null | sort -n | sed -n '$s/.* //p')}
    [[ -f $deb ]] || fail 'there is no package; "make package" makes one'
    [[ -x /lib/systemd/systemd ]] || fail 'there is no systemd; install the package systemd'
    hierarchy=$(findmnt --noheadings --output=TARGET --types=cgroup2 | head -1)
    [[ -n $hierarchy ]] || fail 'version 2 of control groups is not mounted'
    scratch=$(mktemp --directory)
    group=$hierarchy/$(basename "$scratch")
    mkdir "$group"
    # With the first process of its namespace everything ends that it has started.
    trap 'sleep 0.5; find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true; rm -rf "$scratch"' EXIT
    # In its control group before it sees no other.
    GROUP=$group SCRATCH=$scratch DEB=$(realpath "$deb") SCRIPT=$(realpath "$0") \
        bash -c 'echo $$ >"$GROUP/cgroup.procs" && exec unshare --cgroup --mount --net --uts --ipc --pid --fork --kill-child \
            "$SCRIPT" --inside' </dev/null &
    booted=$!
    while ((SECONDS < 240)) && kill -0 "$booted" 2>/dev/null && ! grep -q -s '^systemd-test: ' "$scratch/result"; do
        sleep 0.2
    done
    # What comes behind a complaint.
    grep -q -s '^systemd-test: all good$' "$scratch/result" || sleep 3
    status=0
    # unshare pays no attention to milder ones.
    kill -KILL "$booted" 2>/dev/null || true
    wait "$booted" || status=$?
    cat "$scratch/result" 2>/dev/null || fail "it did not boot (status $status)" "$(cat "$scratch/console" 2>/dev/null)"
    grep -q '^systemd-test: all good$' "$scratch/result" || exit 1
    exit 0
fi

mount --make-rprivate /
copy=$SCRATCH/copy
mkdir "$copy"
mount -t tmpfs -o mode=755 copy "$copy"
root=$copy/root
mkdir "$copy"/{upper,work,root}
mount -t overlay -o "lowerdir=/,upperdir=$copy/upper,workdir=$copy/work" overlay "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 run "$root/run"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
mount -t tmpfs -o mode=755 dev "$root/dev"
mkdir "$root"/dev/{pts,shm,result}
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount --bind "$SCRATCH" "$root/dev/result"
hostname systemdtest
ip link set lo up

export DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
rm -rf "$root/var/lib/netinfo" "$root/var/log/journal"
# Nothing is started before it boots.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
cp "$DEB" "$root/tmp/netinfo.deb"
chroot "$root" dpkg --purge netinfo >/dev/null 2>&1 || true
chroot "$root" dpkg -i /tmp/netinfo.deb >/dev/null || fail 'the package cannot be installed'
systemctl --root="$root" is-enabled netinfod.service >/dev/null || echo 'systemd-test: the unit is not enabled by the package'

cat >"$root/etc/systemd/system/checks.service" <<'UNIT'
[Unit]
Description=What is to be seen
Wants=systemd-journald.service
After=basic.target systemd-journald.service
[Service]
Type=oneshot
ExecStart=/bin/bash /etc/checks
StandardOutput=file:/dev/result/result
StandardError=inherit
TimeoutStartSec=200
UNIT
cat >"$root/etc/checks" <<'CHECKS'
set -euo pipefail
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/root
fail() {
    echo "systemd-test: $*"
    systemctl status --no-pager --full netinfod.service || true
    journalctl --no-pager --unit=netinfod.service | tail -40
    exit 1
}
property() { systemctl show --property="$1" --value netinfod.service; }
journal() { journalctl --no-pager --quiet --unit=netinfod.service --output=cat; }

echo '== start'
systemctl start netinfod.service || fail 'it does not start'
# Type=notify: that it is active is what the daemon itself has said.
[[ $(property ActiveState)/$(property SubState)/$(property Type) == active/running/notify ]] || fail 'it is not running'
pid=$(property MainPID)
[[ $(stat --format=%U "/proc/$pid") == netinfo ]] || fail 'it is not the user netinfo'
grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):' "/proc/$pid/status"
grep -q '^Seccomp:	2$' "/proc/$pid/status" || fail 'no system call is forbidden'
grep -q '^CapEff:	0000000000000400$' "/proc/$pid/status" || fail 'it has other capabilities than to open ports'
[[ ! -e /proc/$pid/root/home/. || -z $(ls -A "/proc/$pid/root/home") ]] || fail 'it sees homes'
nsenter --target "$pid" --mount -- sh -c '! touch /etc/netinfo/x 2>/dev/null && ! touch /usr/x 2>/dev/null' || fail 'it can write'
journal | grep -q 'is serving' || fail 'the journal does not say that it serves'
netinfo status >/dev/null || fail 'it does not answer'

echo '== reload'
before=$(journal | wc -l)
systemctl reload netinfod.service || fail 'it does not reload'
for _ in {1..50}; do (($(journal | wc -l) > before)) && break; sleep 0.1; done
journal | tail -n "+$((before + 1))"
[[ $(property MainPID) == "$pid" ]] || fail 'it is another one after reloading'
[[ $(stat --format=%U /var/lib/netinfo /run/netinfo | uniq) == netinfo ]] || fail 'its directories are no longer its own'

echo '== a login'
printf 'correct horse\n' | netinfo user add carol --uid 20701 --gid 100 --home /home/carol --password-stdin
netinfo enable-login || fail 'logins cannot be enabled'
getent passwd carol || fail 'carol is not known'
login() {
    (sleep 2; printf 'correct horse\n'; sleep 3) | setpriv --reuid=20999 --regid=20999 --clear-groups script -qefc "su - carol -c pwd" /dev/null
}
for attempt in 1 2 3; do
    if login | grep -q /home/carol; then break; fi
    ((attempt < 3)) || fail 'carol cannot log in'
done
# A service that runs as somebody whom only the daemon knows.
printf '[Service]\nType=oneshot\nUser=carol\nExecStart=/usr/bin/id -un\nStandardOutput=file:/tmp/who\n' \
    >/run/systemd/system/as-carol.service
systemctl start as-carol.service && grep -x carol /tmp/who || fail 'no service can run as carol'

echo '== killed'
kill -KILL "$pid"
for _ in {1..100}; do
    [[ $(property ActiveState) == active && $(property MainPID) != "$pid" ]] && break
    sleep 0.1
done
[[ $(property NRestarts) == 1 && $(property ActiveState) == active ]] || fail 'it was not started again'
netinfo lookup passwd carol || fail 'carol is forgotten'

echo '== stop'
systemctl stop netinfod.service
[[ $(property ActiveState)/$(property Result) == inactive/success ]] || fail 'it did not end well'
journal | tail -2
if journal | grep -i -E 'not permitted|permission denied|seccomp'; then fail 'something that it needs is forbidden'; fi
[[ ! -e /run/netinfo/netinfod.sock ]] || fail 'its sockets are left'
echo 'systemd-test: all good'
CHECKS
touch "$root/etc/fstab"
cd "$root"
pivot_root . mnt
# What is left of the system that this is a copy of goes away before it boots.
exec chroot . /bin/sh -c 'umount --lazy /mnt && exec env -i container=other LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=checks.service --log-target=console --log-level=notice --show-status=false' \
    >dev/result/console 2>&1
