/* A recording with windows on it and one writer, for the tests of the windows. */
#ifndef ITSI_METRICS_WINDOWS_FIXTURE_H
#define ITSI_METRICS_WINDOWS_FIXTURE_H

#include "support/check.h"

#include "base/clock.h"
#include "metrics/windows.h"

enum { FINE = 1, COARSE = 4, SERIES = FINE + COARSE };
#define START (INT64_C(5000) * ITSI_NS_PER_S)
#define THRESHOLD (100 * ITSI_NS_PER_MS)

struct fixture {
    struct itsi_recording *recording;
    struct itsi_windows *windows;
    struct itsi_writer *writer;
    int64_t now;
};

static inline void begin(struct fixture *f, int count, const int64_t *seconds)
{
    struct its_diag diag;
    const struct itsi_recording_params params = {.fine = FINE, .coarse = COARSE, .writers = 1};
    CHECK_OK(itsi_recording_create(&f->recording, &params, &diag), diag);
    CHECK_OK(itsi_writer_open(f->recording, 0, SERIES, &f->writer, &diag), diag);
    struct itsi_windows_params wanted = {.recording = f->recording, .count = count};
    memcpy(wanted.seconds, seconds, (size_t)count * sizeof *seconds);
    f->now = START;
    CHECK_OK(itsi_windows_create(&f->windows, &wanted, f->now, &diag), diag);
}

static inline void end(struct fixture *f)
{
    itsi_windows_destroy(f->windows);
    itsi_writer_close(f->writer);
    itsi_recording_destroy(f->recording);
}

static inline void record(struct fixture *f, int series, int64_t value)
{
    itsi_writer_record(f->writer, series, value, THRESHOLD);
}

static inline void tick_after(struct fixture *f, int64_t ns)
{
    f->now += ns;
    assert_int_equal(itsi_windows_tick(f->windows, f->now), 0);
}

static inline struct itsi_window_figures query(struct fixture *f, int series, int window)
{
    struct itsi_window_figures figures;
    assert_int_equal(itsi_windows_query(f->windows, series, window, f->now, &figures), 0);
    return figures;
}

/* So many ticks of a second, each with values of 10 ms, 11 ms and on. */
static inline void feed(struct fixture *f, int ticks, int per_tick)
{
    for (int t = 0; t < ticks; t++) {
        for (int i = 0; i < per_tick; i++)
            record(f, 0, (10 + i) * ITSI_NS_PER_MS);
        tick_after(f, ITSI_NS_PER_S);
    }
}

#endif
