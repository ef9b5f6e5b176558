#!/usr/bin/env bash
# Print the licences of everything that is linked into the programs and modules: one line for each crate, then the text of
# every licence file that comes with them, each once.
#
# usage: scripts/licences.sh        needs no network once the crates have been fetched
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(-p netinfo-server -p netinfo-cli -p netinfo-nss -p netinfo-pam)
registry=${CARGO_HOME:-$HOME/.cargo}/registry/src

# "NAME vVERSION|LICENCE", without our own, which carry a path.
crates() {
    cargo tree --locked --offline --quiet --edges normal --prefix none --no-dedupe --format '{p}|{l}' "${packages[@]}" |
        grep -v -e ' (/' -e '^$' | sed 's/ (proc-macro)//; s/ (\*)//' | sort --unique
}

declare -A users=() # digest of a text: the crates that have it
declare -A files=() # digest of a text: a file that holds it

# C libraries that crates bring with them have theirs a few folders down.
depth=4

# remember NAME VERSION: the licence files of a crate.
remember() {
    local file digest found=
    while IFS= read -r file; do
        found=yes
        digest=$(tr --delete '\r' <"$file" | sha256sum | cut --delimiter=' ' --fields=1)
        files[$digest]=$file
        [[ " ${users[$digest]-} " == *" $1 "* ]] || users[$digest]+=" $1"
    done < <(find "$registry"/*/"$1-$2" -maxdepth "$depth" -type f -regextype posix-extended \
        -iregex '.*/(un)?(licen[cs]e|copying|copyright|notice)([.-][a-z0-9.-]*)?' ! -name '*.rs' ! -name '*.go' | sort)
    [[ -n $found ]] || without+=("$1")
}

without=()
list=$(crates)
printf 'Crates linked into the programs and modules, and their licences (SPDX expressions):\n\n'
while IFS='|' read -r crate licence; do
    read -r name version <<<"$crate"
    printf '  %-36s %-14s %s\n' "$name" "${version#v}" "${licence:-unknown}"
    remember "$name" "${version#v}"
done <<<"$list"
if ((${#without[@]} > 0)); then
    printf '\nThese come without a licence file; the standard text of the licence named above applies:\n  %s\n' "${without[*]}"
fi

mapfile -t digests < <(for digest in "${!users[@]}"; do printf '%s %s\n' "${users[$digest]# }" "$digest"; done | sort | sed 's/.* //')
for digest in "${digests[@]}"; do
    printf '\n%s\n\nOf:%s\n\n' "$(printf '=%.0s' {1..100})" "${users[$digest]}"
    tr --delete '\r' <"${files[$digest]}"
done
