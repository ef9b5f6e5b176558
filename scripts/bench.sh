#!/usr/bin/env bash
# Measure a node: NetInfo calls beside its own PING and a bare server of the same message sizes, LDAP beside OpenLDAP's
# slapd, look-ups beside nscd, nslcd and SSSD.
#
# usage: scripts/bench.sh [OPTION]...           both, one after the other; what the second writes to files by --json and
#                                               --markdown goes to NAME-ldap.EXT beside the first one's NAME.EXT
#        scripts/bench.sh netinfo [OPTION]...   only NetInfo; options of netinfo-bench, --help lists them
#        scripts/bench.sh ldap [OPTION]...      only LDAP; options of netinfo-bench ldap
#        scripts/bench.sh nss [OPTION]...       look-ups of users and groups beside files, nscd, nslcd and SSSD, as root; options of
#                                               netinfo-bench nss
#        scripts/bench.sh fill|load ...         single steps of netinfo-bench
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(--package netinfo-server --package netinfo-bench)
if [[ ${1-} == nss ]]; then
    # The programs it is compared with, unpacked and not installed.
    scripts/clients.sh
    packages+=(--package netinfo-nss)
fi
cargo build --release "${packages[@]}"
program=${CARGO_TARGET_DIR:-target}/release/netinfo-bench

case ${1-} in
netinfo) exec "$program" "${@:2}" ;;
ldap | nss | fill | load | help) exec "$program" "$@" ;;
esac

"$program" "$@"
for option in "$@"; do
    # Those said all there is to say.
    [[ $option != --help && $option != -h && $option != --version ]] || exit 0
done

beside() {
    local folder=
    [[ $1 != */* ]] || folder=${1%/*}/
    local name=${1##*/}
    case $name in
    ?*.*) printf '%s%s-ldap.%s' "$folder" "${name%.*}" "${name##*.}" ;;
    *) printf '%s%s-ldap' "$folder" "$name" ;;
    esac
}

options=(ldap)
while (($# > 0)); do
    case $1 in
    --json=* | --markdown=*) options+=("${1%%=*}=$(beside "${1#*=}")") ;;
    --json | --markdown)
        options+=("$1" "$(beside "${2-}")")
        (($# < 2)) || shift
        ;;
    *) options+=("$1") ;;
    esac
    shift
done
exec "$program" "${options[@]}"
