/* The clip cache of synthetic cameras: a scene is rendered and encoded once, kept as an MP4 with its ground truth beside
 * it, and then played as a file. */
#ifndef ITSI_CAPTURE_SYNTH_H
#define ITSI_CAPTURE_SYNTH_H

#include "its/error.h"

#include <stdatomic.h>
#include <stddef.h>

/* Path of the clip for a synth:// URL, rendering it when it is not cached. One process or thread renders, the others
 * wait. ITS_ECANCELLED when *stop (may be NULL) becomes true. */
ITS_NODISCARD int itsi_synth_clip(const char *url, const char *cache_dir, const atomic_bool *stop, char *path,
                                  size_t size, struct its_diag *diag);
/* Deletes a clip, or its truth, that turned out damaged: both are then rendered anew. */
void itsi_synth_forget(const char *path);

#endif
