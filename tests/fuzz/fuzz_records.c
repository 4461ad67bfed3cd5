/* The readers of what the Latency Monitor keeps in files, and of what others may hand it. Input: one letter that chooses
 * the reader (f flight record, b baselines, r run of a benchmark), then the file. */
#include "fuzz.h"

#include "core/flight.h"
#include "latency/baseline_store.h"
#include "latency/compare.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void must(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fuzz_records: %s\n", what);
        abort();
    }
}

/* A file with that content, as a path. */
static int make_file(const uint8_t *data, size_t size, char *path, size_t path_size)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    must(fd >= 0 && write(fd, data, size) == (ssize_t)size, "no file in memory");
    snprintf(path, path_size, "/proc/self/fd/%d", fd);
    return fd;
}

static void read_flight(const char *path)
{
    struct itsi_flight_file file;
    struct its_diag diag = {""};
    int rc = itsi_flight_read(&file, path, ITSI_FLIGHT_ALL, &diag);
    must(rc == 0 || diag.text[0], "refused without a reason");
    must(rc == 0 || (!file.header && !file.entries), "refused and not empty");
    for (size_t i = 0; rc == 0 && i < file.count; i++) {
        must(file.entries[i].stage < ITSI_STAGE_COUNT && file.entries[i].reason < ITSI_DROP_COUNT, "a stage that is none");
        must(itsi_flight_ended_us(&file.entries[i]) >= file.first_us, "ended before the first began");
    }
    if (rc == 0)
        itsi_flight_file_fini(&file);
}

static void read_baselines(const char *path)
{
    struct itsi_baseline_store *store;
    struct its_diag diag = {""};
    if (itsi_baseline_store_create(&store, path, &diag) != 0)
        return;
    int rc = itsi_baseline_store_load(store, &diag);
    must(rc == 0 || diag.text[0], "refused without a reason");
    must(rc == 0 || itsi_baseline_store_count(store) == 0, "refused and not empty");
    must(itsi_baseline_store_count(store) <= ITSI_BASELINE_KEYS, "too many keys");
    itsi_baseline_store_destroy(store);
}

static void read_run(const uint8_t *data, size_t size)
{
    struct itsi_run *run;
    struct itsi_comparison comparison;
    struct its_diag diag = {""};
    json_t *document = json_loadb((const char *)data, size, 0, NULL);
    if (!document)
        return;
    int rc = itsi_run_parse(&run, document, &diag);
    must(rc == 0 || diag.text[0], "refused without a reason");
    if (rc == 0) {
        must(run->count >= 0 && run->count <= ITSI_RUN_BATCHES, "too many batches");
        must(itsi_compare(run, run, 20, &comparison, &diag) == 0, "cannot be compared with itself");
        must(comparison.verdict == ITSI_VERDICT_SAME || comparison.verdict == ITSI_VERDICT_NONE, "differs from itself");
        itsi_run_destroy(run);
    }
    json_decref(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    if (size == 0)
        return 0;
    if (data[0] == 'r') {
        read_run(data + 1, size - 1);
        return 0;
    }
    int fd = make_file(data + 1, size - 1, path, sizeof path);
    if (data[0] == 'f')
        read_flight(path);
    else if (data[0] == 'b')
        read_baselines(path);
    close(fd);
    return 0;
}
