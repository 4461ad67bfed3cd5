/* replay://: a camera of a flight record. Frames without pixels arrive when its frames did, for seeing again what the
 * machinery made of them. Decoding took place then; here only its stamps are repeated. */
#include "capture/capture_impl.h"

#include "base/diag.h"
#include "core/flight.h"

#include <stdlib.h>

/* A machine that cannot keep up loses the frames it is this late for. */
#define MOST_LATE_NS ITSI_NS_PER_S
enum { STAMP_DECODE_START, STAMP_DECODE_END };

static int64_t arrival_us(const struct itsi_flight_entry *e) { return e->origin_us + e->stamp_us[STAMP_DECODE_END]; }

static int by_arrival(const void *a, const void *b)
{
    int64_t x = arrival_us(a), y = arrival_us(b);
    return x < y ? -1 : x > y;
}

/* Leaves the frames that reached the mailbox, in the order in which they did. */
static void sort_arrivals(struct itsi_flight_file *file)
{
    size_t kept = 0;
    for (size_t i = 0; i < file->count; i++)
        if (file->entries[i].stamp_us[STAMP_DECODE_END] != ITSI_FLIGHT_NEVER)
            file->entries[kept++] = file->entries[i];
    file->count = kept;
    if (kept)
        qsort(file->entries, kept, sizeof *file->entries, by_arrival);
}

static void describe(struct itsi_capture *c, const struct itsi_flight_file *file)
{
    double span = file->count > 1 ? (double)(arrival_us(&file->entries[file->count - 1]) - arrival_us(&file->entries[0]))
                                  : 0;
    pthread_mutex_lock(&c->mutex);
    strcpy(c->status.codec, "replay");
    c->status.width = file->count ? file->entries[0].width : 0;
    c->status.height = file->count ? file->entries[0].height : 0;
    c->status.fps = span > 0 ? (double)(file->count - 1) * 1e6 / span : 0;
    c->status.connects++;
    pthread_mutex_unlock(&c->mutex);
}

/* One frame, at its time. begin: the instant of the record's time 0. */
static int play(struct itsi_capture *c, const struct itsi_flight_entry *e, int64_t begin)
{
    int64_t origin = begin + e->origin_us * ITSI_NS_PER_US, due = begin + arrival_us(e) * ITSI_NS_PER_US;
    if (itsi_event_wait_until(&c->stop_event, due))
        return ITS_ECANCELLED;
    int64_t now = itsi_now_ns();
    if (now - due > MOST_LATE_NS) {
        itsi_capture_drop(c, 1, ITSI_DROP_FLUSHED);
        return 0;
    }
    struct itsi_frame *frame = itsi_capture_blank(c, origin, e->width, e->height);
    if (!frame)
        return 0;
    frame->info.pts_ns = origin - begin;
    frame->info.media_ns = -1;
    frame->info.origin_kind = (enum itsi_origin)e->origin_kind;
    frame->info.key = e->key;
    frame->info.trace.decode_start = e->stamp_us[STAMP_DECODE_START] == ITSI_FLIGHT_NEVER
                                         ? origin
                                         : origin + e->stamp_us[STAMP_DECODE_START] * ITSI_NS_PER_US;
    int rc = itsi_capture_put(c, frame, origin);
    if (rc == 0)
        itsi_capture_good_frame(c, now);
    return rc;
}

int itsi_replay_run(struct itsi_capture *c, struct its_diag *diag)
{
    struct itsi_flight_file file;
    int rc = itsi_flight_read(&file, c->source.url.path, c->source.index, diag);
    if (rc != 0)
        return rc;
    sort_arrivals(&file);
    describe(c, &file);
    int64_t anchor = c->source.start_ns ? c->source.start_ns : itsi_now_ns();
    int64_t begin = anchor - file.first_us * ITSI_NS_PER_US;
    for (size_t i = 0; i < file.count && rc == 0; i++)
        rc = play(c, &file.entries[i], begin);
    itsi_flight_file_fini(&file);
    return rc != 0 ? rc : itsi_capture_stopping(c) ? ITS_ECANCELLED : ITS_EEOF;
}
