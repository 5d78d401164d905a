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

# CG_CHECK_OPENBLAS: the serial build by its own folder, whatever the system's alternatives prefer, because cg has
# threads of its own; else the one the linker finds, which run/gemm/blas.c pins to one thread.
AC_DEFUN([CG_CHECK_OPENBLAS], [
    cg_triplet=`$CC -print-multiarch 2>/dev/null`
    CG_BLAS_LIBS=
    for cg_dir in "/usr/lib/$cg_triplet/openblas-serial" /usr/lib/openblas-serial /usr/lib64/openblas-serial \
                  /usr/local/lib/openblas-serial; do
        AS_IF([test -z "$CG_BLAS_LIBS" && test -e "$cg_dir/libopenblas.so"], [
            CG_BLAS_LIBS="-L$cg_dir -lopenblas"
            CG_BLAS_RPATH="-Wl,-rpath,$cg_dir"])
    done
    AS_IF([test -z "$CG_BLAS_LIBS"], [CG_BLAS_LIBS=-lopenblas])
    for cg_dir in "/usr/include/$cg_triplet/openblas-serial" /usr/include/openblas-serial /usr/include/openblas; do
        AS_IF([test -z "$CG_BLAS_CFLAGS" && test -e "$cg_dir/cblas.h"], [CG_BLAS_CFLAGS="-I$cg_dir"])
    done
    AC_MSG_CHECKING([for OpenBLAS])
    cg_save_LIBS=$LIBS
    cg_save_CPPFLAGS=$CPPFLAGS
    LIBS="$CG_BLAS_LIBS $CG_BLAS_RPATH $LIBS"
    CPPFLAGS="$CPPFLAGS $CG_BLAS_CFLAGS"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <cblas.h>]], [[return cblas_sdot(0, 0, 1, 0, 1) > openblas_get_num_threads();]])],
        [AC_MSG_RESULT([$CG_BLAS_LIBS])],
        [AC_MSG_RESULT([no])
         CG_MISSING="$CG_MISSING libopenblas-serial-dev"])
    LIBS=$cg_save_LIBS
    CPPFLAGS=$cg_save_CPPFLAGS
    AC_SUBST([CG_BLAS_LIBS])
    AC_SUBST([CG_BLAS_RPATH])
    AC_SUBST([CG_BLAS_CFLAGS])
])
