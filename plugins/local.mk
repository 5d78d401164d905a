# Installed as they are here: a template of each kind (cg plugin new), real plugins to read, and how it is done.
pluginsdir = $(pkgdatadir)
nobase_dist_plugins_DATA = plugins/README.md $(foreach p,softcap wer srt,plugins/$(p)/$(p).c plugins/$(p)/Makefile) \
	$(addprefix plugins/template/,Makefile op.c op.cg function.c function.cg reader.c reader.cg try.myname)
