/* A flight record: what happened to every frame of the last minute, kept for looking into a breach of the SLA and for
 * running it again with the original timing. Here the file's format; the ring that records is latency/flight_ring.h, the
 * source that plays a file capture/replay_source.c.
 *
 * File, all little-endian: 8 bytes "ITSFLGHT", u32 version, u32 bytes of the header; the header, a JSON object in UTF-8
 * (why and when it was frozen, the machine, the table of cameras that `camera` means); entries to the end, in the order
 * in which the frames ended. */
#ifndef ITSI_CORE_FLIGHT_H
#define ITSI_CORE_FLIGHT_H

#include "core/frame.h"
#include "core/ledger.h"

#include <stddef.h>

#define ITSI_FLIGHT_VERSION 1

enum itsi_flight_outcome {
    ITSI_FLIGHT_DELIVERED, /* before its deadline */
    ITSI_FLIGHT_LATE,
    ITSI_FLIGHT_DROPPED, /* at `stage`, for `reason` */
    ITSI_FLIGHT_LOST,    /* arrived, became no picture, for `reason`: of the rest camera, seq and origin alone are known */
    ITSI_FLIGHT_CORRUPT, /* the same, damaged */
    ITSI_FLIGHT_OUTCOMES
};
const char *itsi_flight_outcome_name(enum itsi_flight_outcome outcome);

/* The stamps after the origin, in the order of the way: those of struct itsi_trace. */
enum { ITSI_FLIGHT_STAMPS = 9 };
#define ITSI_FLIGHT_NEVER UINT32_MAX /* a stamp: not reached; the deadline: none */

/* One frame's end, as it lies in memory and in the file. Times are microseconds after origin_us, at most 71 minutes. */
struct itsi_flight_entry {
    int64_t origin_us; /* monotonic clock of the machine that recorded it */
    uint32_t camera;   /* index of the camera in the header's table */
    uint32_t seq;      /* of the frame, modulo 2^32 */
    uint32_t deadline_us;
    uint32_t stamp_us[ITSI_FLIGHT_STAMPS];
    uint32_t boxes; /* found in it */
    uint16_t width, height;
    uint8_t outcome, stage, reason, batch;
    uint8_t level, origin_kind, key, zero;
};
_Static_assert(sizeof(struct itsi_flight_entry) == 72, "the file's layout");
_Static_assert(offsetof(struct itsi_flight_entry, boxes) == 56, "no holes");

/* Fills an entry from a frame; the caller adds how it ended. */
void itsi_flight_entry_of(const struct itsi_frame_info *info, struct itsi_flight_entry *out);

/* A file that was read, whole or one camera of it. */
struct itsi_flight_file {
    char *header;                      /* owned, NUL-terminated JSON */
    struct itsi_flight_entry *entries; /* owned; in the file's order */
    size_t count;
    int64_t first_us, last_us; /* earliest origin and latest end of all entries in the file, whatever is kept */
};
enum { ITSI_FLIGHT_ALL = -1 };
/* Keeps the entries of one camera (its index), or ITSI_FLIGHT_ALL. ITS_ENOTFOUND and the like from the system,
 * ITS_EFORMAT: not such a file, of another version, or damaged; diag names the file and says what. */
ITS_NODISCARD int itsi_flight_read(struct itsi_flight_file *out, const char *path, int64_t camera,
                                   struct its_diag *diag);
void itsi_flight_file_fini(struct itsi_flight_file *file); /* takes zeroed */
/* The instant of an entry's last stamp, or its origin. */
int64_t itsi_flight_ended_us(const struct itsi_flight_entry *entry);
/* Writes beside `path` first and renames then: nobody sees half a file. */
ITS_NODISCARD int itsi_flight_write(const char *path, const char *header, const struct itsi_flight_entry *entries,
                                    size_t count, struct its_diag *diag);

#endif
