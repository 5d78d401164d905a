#!/bin/sh
# sysroot.sh FOLDER - what an aarch64 build links with: packages of Debian's arm64, unpacked and not installed.
# Takes a folder; fills it. apt keeps its lists of arm64 in that folder, so that the system's own packages and
# architectures stay as they are (to install arm64 packages beside amd64 ones would take GraphViz away).
set -eu
mkdir -p "$1/apt/lists/partial" "$1/apt/cache/archives/partial" "$1/debs"
cd "$1"
[ ! -e whole ] || exit 0
: >apt/status
cat >apt.conf <<CONF
Dir::State "$PWD/apt";
Dir::State::lists "$PWD/apt/lists";
Dir::State::status "$PWD/apt/status";
Dir::Cache "$PWD/apt/cache";
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "root";
CONF
APT_CONFIG=$PWD/apt.conf
export APT_CONFIG
apt-get -q update
apt-get -q install -y --no-install-recommends --print-uris libc6-dev libgcc-12-dev libxxhash-dev libutf8proc-dev \
    libjansson-dev zlib1g-dev libsqlite3-dev libpcre2-dev libopenblas-serial-dev |
    sed -n "s/^'[^']*' \([^_ ]*\)_.*/\1/p" >names
(cd debs && xargs apt-get -q download <../names)
for deb in debs/*.deb; do
    dpkg -x "$deb" .
done
: >whole
