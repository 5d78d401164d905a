/* profile.h - tables of where time went.
 * Takes counts and this machine's peaks; gives text: by op, by line of the script, sorted by time. */
#ifndef CG_REPORT_PROFILE_H
#define CG_REPORT_PROFILE_H
#include "base/strbuf.h"
#include "run/peak.h"
#include "run/profile.h"

/* Items that took less than `fold` of the time (0.02) are one line. `markdown`: tables for a page. */
void cg_report_profile(const CgProfile *p, const CgPeaks *peaks, double fold, bool markdown, CgStrbuf *out);
/* "FMA 230 GFLOP/s f32, ..." */
void cg_report_peaks(const CgPeaks *peaks, CgStrbuf *out);
void cg_report_peaks_json(const CgPeaks *peaks, CgStrbuf *out);
/* The items as one JSON array. */
void cg_report_profile_json(const CgProfile *p, const CgPeaks *peaks, CgStrbuf *out);
#endif
