# cg.m4 - the checks of configure.ac that would hide its order.

# CG_NEED(HEADER, FUNCTION, LIBRARY, PACKAGE): adds -lLIBRARY, or PACKAGE to what is missing.
AC_DEFUN([CG_NEED], [
    AC_CHECK_HEADER([$1],
        [AC_CHECK_LIB([$3], [$2], [LIBS="-l$3 $LIBS"], [CG_MISSING="$CG_MISSING $4"])],
        [CG_MISSING="$CG_MISSING $4"])
])

# CG_CHECK_ISA(NAME, MARCH, FEATURE): whether kernels can be compiled for a newer x86-64.
AC_DEFUN([CG_CHECK_ISA], [
    AC_CACHE_CHECK([whether $CC compiles for $2], [cg_cv_isa_$1], [
        cg_save_CFLAGS=$CFLAGS
        CFLAGS="$CFLAGS -march=$2"
        AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
            #ifndef __x86_64__
            #error not an x86-64
            #endif
            int main(void) { return __builtin_cpu_supports("$3"); }
        ]])], [cg_cv_isa_$1=yes], [cg_cv_isa_$1=no])
        CFLAGS=$cg_save_CFLAGS])
    AS_IF([test "$cg_cv_isa_$1" = yes], [
        CG_ISAS="$CG_ISAS $1"
        AC_DEFINE([CG_HAVE_ISA_]m4_toupper([$1]), [1], [Kernels compiled for $2 are in the library.])])
    AM_CONDITIONAL([ISA_]m4_toupper([$1]), [test "$cg_cv_isa_$1" = yes])
])

# CG_CHECK_CBLAS: any library with the interface of CBLAS: the one that CBLAS_LIBS (and CBLAS_CFLAGS) name; else the serial
# build of OpenBLAS by its own folder, whatever the system's alternatives prefer, because cg has threads of its own; else
# what the linker finds. An OpenBLAS with threads is told by run/gemm/blas.c to use one.
AC_DEFUN([CG_CHECK_CBLAS], [
    AC_ARG_VAR([CBLAS_LIBS], [linker flags of a library with the CBLAS interface])
    AC_ARG_VAR([CBLAS_CFLAGS], [compiler flags that find its cblas.h])
    cg_triplet=`$CC -print-multiarch 2>/dev/null`
    cg_root=`$CC -print-sysroot 2>/dev/null | $SED 's|/*$||'`
    CG_BLAS_LIBS=
    CG_BLAS_CFLAGS=`AS_ECHO(["$CBLAS_CFLAGS"]) | $SED 's/\(^\| \)-I */\1-isystem /g'` # its warnings are not ours
    cg_save_LIBS=$LIBS
    cg_save_CPPFLAGS=$CPPFLAGS
    for cg_dir in "/usr/include/$cg_triplet/openblas-serial" /usr/include/openblas-serial /usr/include/openblas; do
        AS_IF([test -z "$CBLAS_LIBS$CG_BLAS_CFLAGS" && test -e "$cg_root$cg_dir/cblas.h"],
            [CG_BLAS_CFLAGS="-isystem $cg_root$cg_dir"])
    done
    CPPFLAGS="$CPPFLAGS $CG_BLAS_CFLAGS"
    cg_serial=
    for cg_dir in "/usr/lib/$cg_triplet/openblas-serial" /usr/lib/openblas-serial /usr/lib64/openblas-serial \
                  /usr/local/lib/openblas-serial; do
        AS_IF([test -z "$cg_serial" && test -e "$cg_root$cg_dir/libopenblas.so"], [cg_serial=$cg_dir])
    done
    AC_MSG_CHECKING([for a library with CBLAS])
    for cg_libs in "$CBLAS_LIBS" ${cg_serial:+"-L$cg_root$cg_serial -lopenblas -Wl,-rpath,$cg_serial"} \
                   -lopenblas -lblis -lcblas "-lcblas -lblas" -lblas "-lgslcblas"; do
        AS_IF([test -z "$CG_BLAS_LIBS" && test -n "$cg_libs"], [
            LIBS="$cg_libs $cg_save_LIBS"
            AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <cblas.h>]], [[
                double one = 1;
                cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, 1, 1, 1, 1.0, &one, 1, &one, 1, 0.0, &one, 1);]])],
                [CG_BLAS_LIBS=$cg_libs])])
        AS_IF([test -n "$CBLAS_LIBS"], [break])
    done
    AS_IF([test -n "$CG_BLAS_LIBS"], [AC_MSG_RESULT([$CG_BLAS_LIBS])],
        [AC_MSG_RESULT([no])
         CG_MISSING="$CG_MISSING libopenblas-serial-dev"])
    LIBS=$cg_save_LIBS
    CPPFLAGS=$cg_save_CPPFLAGS
    AC_SUBST([CG_BLAS_LIBS])
    AC_SUBST([CG_BLAS_CFLAGS])
])
