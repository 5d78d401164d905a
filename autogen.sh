#!/bin/sh
# autogen.sh - makes configure from configure.ac. Needs autoconf 2.71, automake 1.16, libtool, pkg-config.
set -e
cd "$(dirname "$0")"
sh src/sources.sh
exec autoreconf --install --warnings=all,no-portability
