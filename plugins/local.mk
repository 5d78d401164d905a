EXTRA_DIST += plugins/README.md plugins/softcap/softcap.c plugins/softcap/Makefile plugins/template/myop.c plugins/template/Makefile
