/* libav's manners turned into ours: its errors into codes and texts, its log into lines of our log. */
#ifndef ITSI_CAPTURE_AV_H
#define ITSI_CAPTURE_AV_H

#include "base/url.h"
#include "its/error.h"

/* Installs the log callback, once per process. libav's callback is global: lines go to our log at debug level, with
 * passwords removed, and the last complaint of each thread is kept for error texts. Nothing is printed. */
void itsi_av_init(void);

/* From here on this thread's complaints are about this URL (borrowed; NULL: none); forgets the last one. */
void itsi_av_about(const struct itsi_url *url);

/* Our code for a libav error. The only place that translates them. */
int itsi_av_code(int averr);

/* Fills diag with "context: reason (libav's last words)", all of it scrubbed, and returns itsi_av_code(averr). */
int itsi_av_fail(struct its_diag *diag, int averr, const char *fmt, ...) ITS_PRINTF(3, 4);

#endif
