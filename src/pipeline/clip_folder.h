/* The folder that clips are kept in: TIME-CAMERA.mp4, and beside each a small JSON file that says what it is of. While
 * a clip is in the making its pictures are in TIME-CAMERA.mp4.mpegts (or .matroska). Any thread; blocks on the disk. */
#ifndef ITSI_PIPELINE_CLIP_FOLDER_H
#define ITSI_PIPELINE_CLIP_FOLDER_H

#include "core/frame.h"

#include <stdbool.h>

/* X(NAME, "text") */
#define ITSI_CLIP_STATE_MAP(X)                                                                                         \
    X(WAITING, "waiting") /* for the time after the incident to pass */                                                \
    X(WRITING, "writing") /* or for its turn to be */                                                                  \
    X(WRITTEN, "written")                                                                                              \
    X(FAILED, "failed")
enum itsi_clip_state {
#define ITSI_X(name, text) ITSI_CLIP_##name,
    ITSI_CLIP_STATE_MAP(ITSI_X)
#undef ITSI_X
};
const char *itsi_clip_state_name(enum itsi_clip_state state);

enum { ITSI_CLIP_TIME_SIZE = sizeof "2026-01-31T12-00-00.123Z" };
enum { ITSI_CLIP_NAME_SIZE = ITSI_CLIP_TIME_SIZE + ITSI_CAMERA_ID_SIZE + sizeof ".mp4" };

struct itsi_clip_facts {
    char name[ITSI_CLIP_NAME_SIZE]; /* of its file, without the folder */
    char camera[ITSI_CAMERA_ID_SIZE];
    int64_t wall_ns;  /* the incident */
    char why[256];    /* empty: not known */
    char record[64];  /* flight record of the same incident, its file's name; empty: none known */
    enum itsi_clip_state state;
    char note[256];   /* why it failed, or is shorter than asked for; empty: it did not, it is not */
    double seconds;   /* that it shows; NAN: not known (yet) */
    double before;    /* seconds of it before the incident; likewise */
    int pictures;     /* 0: not known */
    uint64_t bytes;
};

/* Name, camera and time of an incident; the rest is emptied. */
void itsi_clip_facts_init(struct itsi_clip_facts *facts, const char *camera, int64_t wall_ns);
/* The same from a name. False: no clip is called so; such a name may be asked for by anybody, and leads nowhere else. */
bool itsi_clip_facts_of_name(struct itsi_clip_facts *facts, const char *name);

/* What is in the folder. */
struct itsi_clip_totals {
    int files;
    uint64_t bytes;
};

/* Writes the JSON file. */
int itsi_clip_folder_note(const char *folder, const struct itsi_clip_facts *facts, struct its_diag *diag);
void itsi_clip_folder_drop_note(const char *folder, const char *name);
/* Of the clips that are whole the newest, newest first; returns how many were copied. */
int itsi_clip_folder_list(const char *folder, struct itsi_clip_facts *out, int cap);
/* One of them. ITS_ENOTFOUND. */
ITS_NODISCARD int itsi_clip_folder_find(const char *folder, const char *name, struct itsi_clip_facts *out);
/* ITS_ENOTFOUND; ITS_EIO. */
ITS_NODISCARD int itsi_clip_folder_remove(const char *folder, const char *name, struct its_diag *diag);
/* Deletes the oldest until at most `files` and `bytes` in all are left; `newest` stays whatever its size, and what is
 * named later than it was written before the clock was set back, and is the oldest. NULL: the last by name. */
void itsi_clip_folder_retain(const char *folder, const char *newest, int files, uint64_t bytes,
                             struct itsi_clip_totals *left);

/* Clips whose making was cut short, by the form of what there is of each; returns how many were copied. Files that can
 * be of no use any more are deleted. */
struct itsi_clip_leftover {
    struct itsi_clip_facts facts;
    char form[16]; /* "mpegts", "matroska" */
};
int itsi_clip_folder_leftovers(const char *folder, struct itsi_clip_leftover *out, int cap);

#endif
