#!/usr/bin/env bash
# Measure `netinfo port` beside ss and lsof, on a machine with many processes.
#
# usage: scripts/port.sh [PROCESSES [ROUNDS]]      default: 2000 processes, 21 rounds
#
# Builds the program for release, starts so many sleeping processes, runs each command once per round, in turn, and
# prints the median and the least time of each in milliseconds. Needs iproute2 and lsof; as root all processes are seen.
set -euo pipefail
cd "$(dirname "$0")/.."

processes=${1-2000}
rounds=${2-21}
netinfo=${NETINFO-target/release/netinfo}
[[ -v NETINFO ]] || cargo build --release --quiet -p netinfo-cli

sleepers=()
stop_sleepers() {
    ((${#sleepers[@]} == 0)) || kill "${sleepers[@]}" 2>/dev/null || true
}
trap stop_sleepers EXIT
for ((i = 0; i < processes; i++)); do
    sleep 600 &
    sleepers+=("$!")
done

commands=(
    "$netinfo port"
    "ss -tulpn"
    "lsof -nP -iTCP -sTCP:LISTEN -iUDP"
    "$netinfo port 945"
    "ss -tuanp ( sport = 945 or dport = 945 )"
    "lsof -nP -i :945"
)

declare -A times
for ((round = 0; round < rounds; round++)); do
    for command in "${commands[@]}"; do
        read -ra words <<<"$command"
        begin=${EPOCHREALTIME/./}
        # Exit codes say whether something is there.
        "${words[@]}" >/dev/null 2>&1 || true
        times[$command]+="$((${EPOCHREALTIME/./} - begin)) "
    done
done

running=(/proc/[0-9]*)
printf '%d processes, %d rounds, milliseconds\n%8s %8s  %s\n' "${#running[@]}" "$rounds" median least command
for command in "${commands[@]}"; do
    mapfile -t sorted < <(tr ' ' '\n' <<<"${times[$command]% }" | sort -n)
    awk -v median="${sorted[$((rounds / 2))]}" -v least="${sorted[0]}" -v command="${command#target/release/}" \
        'BEGIN { printf "%8.1f %8.1f  %s\n", median / 1000, least / 1000, command }'
done
