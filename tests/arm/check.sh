#!/bin/sh
# check.sh - cg for aarch64: built by a cross compiler, tested by emulation.
# Takes srcdir and what run.sh takes; gives the sum of what passed. Needs gcc-aarch64-linux-gnu, qemu-user, apt-get and
# dpkg. Keeps a sysroot and a build in build-arm/ of the source tree: the second time only what changed is done.
set -eu
srcdir=$(cd "${srcdir:-.}" && pwd)
build=$srcdir/build-arm
sysroot=${SYSROOT:-$build/sysroot}
for tool in aarch64-linux-gnu-gcc qemu-aarch64 qemu-x86_64 apt-get dpkg; do
    command -v $tool >/dev/null || { echo "check-arm needs $tool (apt-get install gcc-aarch64-linux-gnu qemu-user)" >&2; exit 2; }
done
mkdir -p "$build/emulated"
[ -n "${SYSROOT:-}" ] || sh "$srcdir/tests/arm/sysroot.sh" "$sysroot"
cd "$build"
[ -e Makefile ] || PKG_CONFIG=false ../configure -q --host=aarch64-linux-gnu \
    CC="aarch64-linux-gnu-gcc --sysroot=$sysroot" CFLAGS='-O2 -g0' --disable-graphviz
${MAKE:-make} -s -j"$(nproc)" check-build
EMULATOR="qemu-aarch64 -L $sysroot"
cat >emulated/cg <<CG
#!/bin/sh
exec $EMULATOR $build/cg "\$@"
CG
chmod +x emulated/cg
export EMULATOR srcdir
[ $# -gt 0 ] || set -- lang/ unit/ limit/ errors/
builddir=$build CG=$build/emulated/cg TIMEOUT=${TIMEOUT:-600} sh "$srcdir/tests/run.sh" "$@"
