/* embedded.h - the library written in cg, as text inside the program.
 * Takes stdlib/NAME.cg and graphs/NAME.cg at build time; gives a table of modules, `std.NAME` and `graphs.NAME`.
 * The table is generated (src/lang/embed.c) and sorted as the files are; it ends with two NULLs. */
#ifndef CG_EMBEDDED_H
#define CG_EMBEDDED_H

typedef struct CgEmbedded {
    const char *module, *text;
} CgEmbedded;
extern const CgEmbedded cg_embedded[];
extern const char cg_embedded_page[]; /* src/report/page.html */
#endif
