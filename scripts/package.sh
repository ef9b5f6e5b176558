#!/usr/bin/env bash
# Build the Debian package target/debian/netinfo_VERSION_ARCH.deb, with cargo-deb (installed by scripts/deps.sh package).
#
# usage: scripts/package.sh [OPTION OF cargo-deb]...       --fast compresses less
#
# environment: BINARIES: take the programs from this directory instead of building them
set -euo pipefail
cd "$(dirname "$0")/.."

place=target/package
root=$place/root
documents=$root/usr/share/doc/netinfo

rm -rf "$place"
DESTDIR=$PWD/$root PREFIX=/usr scripts/install.sh
strip --strip-unneeded "$root"/usr/sbin/netinfod "$root"/usr/bin/netinfo "$root"/usr/lib/*/libnss_netinfo.so.2 \
    "$root"/usr/lib/*/security/pam_netinfo.so
# A page by a link has to be called as the page will be when it is compressed.
for page in "$root"/usr/share/man/man1/*.1; do
    if [[ -L $page ]]; then
        rm "$page"
        echo '.so man1/netinfo-tool.1' >"$page"
    fi
done

id=$(cargo pkgid --offline --locked --package netinfo-server)
version=${id##*[#@]}
cat >"$place/changelog" <<TEXT
netinfo ($version-1) unstable; urgency=medium

  * Version $version. What is new in it is in /usr/share/doc/netinfo/CHANGELOG.md.gz.

 -- NetInfo maintainers <netinfo@localhost>  $(LC_ALL=C date --utc --reference=CHANGELOG.md '+%a, %d %b %Y %H:%M:%S +0000')
TEXT

install -d "$documents"
{
    cat <<'TEXT'
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: netinfo
Comment: The crates that are linked into the programs, and the texts of their
 licences, are in /usr/share/doc/netinfo/licences.gz.

Files: *
Copyright: 2026 The NetInfo contributors
License: Expat or Apache-2.0

License: Expat
TEXT
    # The text without its heading, as a paragraph of the file.
    sed -n '/^Permission/,$p' LICENSE-MIT | sed 's/^$/./; s/^/ /'
    cat <<'TEXT'

License: Apache-2.0
 On Debian systems the full text is in /usr/share/common-licenses/Apache-2.0.
TEXT
} >"$place/copyright"
scripts/licences.sh | gzip -9n >"$documents/licences.gz"
gzip -9nc CHANGELOG.md >"$documents/CHANGELOG.md.gz"
install -m 644 -t "$documents" docs/*.md

cargo deb --quiet --package netinfo-server --no-build --no-strip --offline --locked "$@"
find target/debian -maxdepth 1 -name "netinfo_$version-*.deb" -newer "$place/copyright"
