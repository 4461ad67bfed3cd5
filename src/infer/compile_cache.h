/* Compiled models kept from one start to the next, so that the second start is the shorter one.
 *
 * A folder per model, named by what the model file holds (an IR's weights too) and by the run time that compiled it: a model
 * that was trained anew, or a run time that was updated, never meets an old file. Run times read their own files with little
 * suspicion, so every file is noted with its checksum when it was written, and what is not as noted (a disk that failed, a
 * write that was cut off) is removed before the run time sees it: it is compiled again, which costs the time of a first start.
 *
 * What all models keep together is bounded by files and bytes: what was not used for longest goes first, when a start seals.
 * Used is what the run time read (its time of access, which a file system keeps to the day, or not at all: then what was
 * written first goes). What a running program has compiled does not need its file any more. Several processes may share a
 * root: nobody removes anything from a folder that another has open.
 *
 * A cache is a convenience: who cannot have it goes without. */
#ifndef ITSI_INFER_COMPILE_CACHE_H
#define ITSI_INFER_COMPILE_CACHE_H

#include "its/error.h"

#include <stdint.h>

struct itsi_compile_cache {
    char dir[4096]; /* give this to the run time; empty: there is no cache */
    int lock;       /* of the folder, held from open to close: two starts at once do not write into one another */
};

/* root: made where it is not there. runtime: name, version and device of what compiles. Touches nothing else. Waits for
 * another start that is compiling the same model, 20 s at most. ITS_E*: no cache, and why; close() is not needed then. */
ITS_NODISCARD int itsi_compile_cache_open(struct itsi_compile_cache *cache, const char *root, const char *model_path,
                                          const char *runtime, struct its_diag *diag);
/* Trims to what is kept at most, then notes what lies there; without this call (a start that failed) what it wrote is not believed next time. */
void itsi_compile_cache_seal(struct itsi_compile_cache *cache);
/* The same with other limits, without the notes. An open cache. */
struct itsi_compile_limits {
    int files;
    int64_t bytes;
};
void itsi_compile_cache_trim(const struct itsi_compile_cache *cache, const struct itsi_compile_limits *limits);
void itsi_compile_cache_close(struct itsi_compile_cache *cache); /* takes zeroed or not opened */

#endif
