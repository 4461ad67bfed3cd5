/* Clips as they were read, in a file: to be played again without the engine. Of this machine and this build only. */
#ifndef ITS_BENCH_TRACK_KEEP_H
#define ITS_BENCH_TRACK_KEEP_H

#include "track_clip.h"

#include <stdbool.h>
#include <stdio.h>

bool track_keep_write(FILE *file, const struct track_clip *clip);
/* The next clip; false: there is none, or the file is cut short. */
bool track_keep_read(FILE *file, struct track_clip *clip);

#endif
