#!/usr/bin/env bash
# Install the Debian package that scripts/package.sh has made on a throw-away copy of this system, start the daemon as its
# unit does, let somebody log in, upgrade, purge, and see what is left. The copy is an overlay in memory, with mounts, a
# network and processes of its own: this system does not change. Needs root.
#
# usage: scripts/package-test.sh [FILE.deb]
set -euo pipefail
shopt -s lastpipe

fail() {
    printf 'package-test: %s\n' "$@" >&2
    exit 1
}

say() {
    printf '== %s\n' "$*"
}

# What has to be in the package.
contents=(
    ./etc/netinfo/netinfod.toml ./usr/bin/netinfo ./usr/sbin/netinfod './usr/bin/niutil -> netinfo' './usr/bin/nicl -> netinfo'
    './usr/bin/nidump -> netinfo' './usr/bin/niload -> netinfo' './usr/bin/nigrep -> netinfo' './usr/bin/nifind -> netinfo'
    './usr/bin/nireport -> netinfo' './usr/bin/nidomain -> netinfo' './usr/bin/lookupd -> netinfo' /libnss_netinfo.so.2 /security/pam_netinfo.so
    ./usr/share/pam-configs/netinfo ./usr/lib/systemd/system/netinfod.service ./usr/share/man/man8/netinfod.8.gz
    ./usr/share/man/man1/netinfo.1.gz ./usr/share/man/man1/niutil.1.gz ./usr/share/bash-completion/completions/netinfo
    ./usr/share/zsh/vendor-completions/_netinfo ./usr/share/fish/vendor_completions.d/netinfo.fish
    ./usr/share/doc/netinfo/copyright ./usr/share/doc/netinfo/licences.gz ./usr/share/doc/netinfo/changelog.Debian.gz
)

check_contents() {
    local list entry
    list=$(dpkg-deb --contents "$1")
    for entry in "${contents[@]}"; do
        grep -q -F -e "$entry" <<<"$list" || fail "$1 has no $entry"
    done
    # Nothing that others may write, nobody's files but root's.
    if awk '$1 !~ /^l/ && ($1 ~ /^.....w/ || $1 ~ /^........w/  || $2 !~ /^(root|0)\/(root|0)$/)' <<<"$list" | grep .; then
        fail "these have a wrong mode or owner"
    fi
    dpkg-deb --info "$1" | sed -n 's/^ \(Package\|Version\|Depends\|Installed-Size\): /\1: /p'
    if command -v lintian >/dev/null; then
        lintian --fail-on error "$1" || fail 'lintian finds errors'
    else
        echo 'lintian is not installed; not run'
    fi
}

if [[ ${1-} != --inside ]]; then
    ((EUID == 0)) || fail 'run this as root: it makes mounts'
    cd "$(dirname "$0")/.."
    deb=${1-$(find target/debian -maxdepth 1 -name 'netinfo_*.deb' -printf '%T@ %p\n' 2>/dev/null | sort -n | sed -n '$s/.* //p')}
    [[ -f $deb ]] || fail 'there is no package; "make package" makes one'
    say "contents of $deb"
    check_contents "$deb"
    exec unshare --mount --net --uts --ipc --pid --fork --kill-child "scripts/package-test.sh" --inside "$(realpath "$deb")"
fi

deb=$2
scratch=$(mktemp --directory)
trap 'umount --recursive --lazy "$scratch"; rmdir "$scratch"' EXIT
mount --make-rprivate /
mount -t tmpfs -o mode=755 scratch "$scratch"
root=$scratch/root
mkdir "$scratch"/{upper,work,root}
mount -t overlay -o "lowerdir=/,upperdir=$scratch/upper,workdir=$scratch/work" overlay "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 run "$root/run"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
cp "$deb" "$root/tmp/netinfo.deb"
hostname packagetest
ip link set lo up

export DEBIAN_FRONTEND=noninteractive LC_ALL=C
inside() {
    chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"
}
# Names, owners, modes and contents of what the system consists of.
listing() {
    (
        cd "$root"
        find etc usr var -xdev \( -path var/lib/dpkg -o -path var/cache -o -path var/log -o -name '*-' \) -prune -o -type f \
            -printf '%p %m %U:%G %s %l\n' -o -printf '%p %m %U:%G %l\n' | grep -v -e '^etc/ld.so.cache' -e ' var$' | sort
    )
}

# Whatever this system has of it already.
inside dpkg --purge netinfo >/dev/null 2>&1 || true
inside pam-auth-update --package --force
listing >"$scratch/before"

say install
inside dpkg -i /tmp/netinfo.deb
inside getent passwd netinfo
unit=$root/usr/lib/systemd/system/netinfod.service
inside netinfod check-config /etc/netinfo/netinfod.toml
if grep -q netinfo "$root/etc/nsswitch.conf" "$root/etc/pam.d/common-auth"; then
    fail 'logins have changed although nobody asked'
fi
if inside sh -c 'command -v systemd-analyze' >/dev/null; then
    # It needs nothing to run; manual pages may have been left out by this system's dpkg.
    problems=$(inside systemd-analyze verify --man=no netinfod.service 2>&1 | grep netinfod || true)
    [[ -z $problems ]] || fail "systemd-analyze verify: $problems"
    inside systemd-analyze security --offline=true --threshold=30 netinfod.service | tail -1
else
    echo 'systemd-analyze is not installed; not run'
fi

# daemon: the daemon, with the user, the capabilities and the directories that its unit gives it.
daemon() {
    local command bounding
    command=$(sed -n 's/^ExecStart=!\{0,1\}//p' "$unit")
    bounding=$(sed -n 's/^CapabilityBoundingSet=//p' "$unit" | tr '[:upper:]' '[:lower:]' | sed 's/cap_/+/g; s/ /,/g')
    install -d -m 750 "$root/var/lib/netinfo"
    install -d -m 755 "$root/run/netinfo"
    # shellcheck disable=SC2086 # words of a command
    inside setpriv --no-new-privs --inh-caps=-all --bounding-set="-all,$bounding" sh -c "umask 077; exec $command" \
        </dev/null >"$root/tmp/daemon.log" 2>&1 &
    local _
    for _ in {1..200}; do
        if inside netinfo status >/dev/null 2>&1 && [[ -e $root/run/netinfo/table ]]; then
            return
        fi
        sleep 0.1
    done
    fail 'the daemon does not start' "$(cat "$root/tmp/daemon.log")"
}
stop_daemon() {
    local pid
    pid=$(pgrep --exact netinfod)
    kill "$pid"
    for _ in {1..100}; do
        [[ -e /proc/$pid ]] || return 0
        sleep 0.1
    done
    fail 'the daemon does not stop'
}

say 'start as the unit does'
mount -t proc proc /proc
daemon
pid=$(pgrep --exact netinfod)
awk '/^(Uid|CapEff|NoNewPrivs|Seccomp):/ { print $1, $2 }' "/proc/$pid/status"
[[ $(stat --format=%U "/proc/$pid") == netinfo || $(stat --format=%u "/proc/$pid") == "$(inside id -u netinfo)" ]] ||
    fail 'the daemon is still root'
grep -q '^CapEff:	0000000000000400$' "/proc/$pid/status" || fail 'the daemon has other capabilities than to open ports'

say 'somebody logs in'
inside niutil -list . / >/dev/null
printf 'correct horse\n' | inside netinfo user add carol --uid 20701 --gid 100 --home /home/carol --password-stdin
inside netinfo enable-login
inside getent passwd carol
inside id carol
# login NAME COMMAND: as somebody who has to give a password.
login() {
    (
        sleep 2
        printf 'correct horse\n'
        sleep 3
    ) | inside setpriv --reuid=20999 --regid=20999 --clear-groups script -qefc "su - $1 -c '$2'" /dev/null
}
for attempt in 1 2 3; do
    # A password that comes before its prompt is thrown away.
    if login carol pwd | grep -q /home/carol; then break; fi
    ((attempt < 3)) || fail 'carol cannot log in'
done
echo 'carol has logged in and has a home'

say upgrade
echo '# an administrator was here' >>"$root/etc/netinfo/netinfod.toml"
inside dpkg -i /tmp/netinfo.deb >/dev/null
grep -q 'administrator was here' "$root/etc/netinfo/netinfod.toml" || fail 'the configuration was overwritten'
inside getent passwd carol

say 'remove, install again'
inside dpkg -r netinfo
if grep -q netinfo "$root/etc/nsswitch.conf" "$root/etc/pam.d/common-auth"; then
    fail 'logins still mention NetInfo'
fi
stop_daemon
inside dpkg -i /tmp/netinfo.deb >/dev/null
daemon
inside netinfo cat /users/carol | grep uid
stop_daemon

say purge
rm -rf "$root/home/carol"
inside dpkg --purge netinfo | tee "$scratch/purge"
grep -q /var/lib/netinfo "$scratch/purge" || fail 'nobody is told where the data is'
listing >"$scratch/after"
left=$(diff "$scratch/before" "$scratch/after" | sed -n 's/^> //p' | grep -v -e '^var/lib/netinfo' || true)
# The owner of what is left, and what dates the files of users; the tools that make users keep both.
left=$(grep -v -E -e '^etc/(passwd|group|shadow|gshadow|subuid|subgid) ' -e '^(etc|var/lib|var|var/backups) ' <<<"$left" || true)
[[ -z $left ]] || fail 'purging leaves:' "$left"
[[ -e $root/var/lib/netinfo/local.domain ]] || fail 'the data is gone'
say 'purge without data'
rm -r "$root/var/lib/netinfo"
inside dpkg -i /tmp/netinfo.deb >/dev/null
inside dpkg --purge netinfo >/dev/null
[[ ! -e $root/var/lib/netinfo ]] || fail 'the empty data directory is left'
if inside getent passwd netinfo; then fail 'the user is left'; fi
echo 'package-test: all good'
