#include "core/flight.h"

#include "base/diag.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "entries are written as they lie in memory"
#endif

static const char magic[8] = {'I', 'T', 'S', 'F', 'L', 'G', 'H', 'T'};

struct prefix {
    char magic[8];
    uint32_t version, header_bytes;
};
/* A header names every camera; a thousand of them take some 200 KB. */
#define MOST_HEADER (16u << 20)

const char *itsi_flight_outcome_name(enum itsi_flight_outcome outcome)
{
    static const char *const names[] = {"delivered", "late", "dropped", "lost", "corrupt"};
    return names[outcome];
}

/* Microseconds from origin to an instant; what was not reached or lies out of range is "never". */
static uint32_t after(int64_t origin, int64_t instant)
{
    if (!instant || instant < origin)
        return ITSI_FLIGHT_NEVER;
    int64_t us = (instant - origin) / 1000;
    return us < (int64_t)ITSI_FLIGHT_NEVER ? (uint32_t)us : ITSI_FLIGHT_NEVER;
}

void itsi_flight_entry_of(const struct itsi_frame_info *info, struct itsi_flight_entry *out)
{
    const struct itsi_trace *t = &info->trace;
    const int64_t stamps[ITSI_FLIGHT_STAMPS] = {t->decode_start, t->decode_end, t->pre_start, t->pre_end, t->infer_start,
                                                t->infer_end,    t->post_start, t->post_end,  t->handover};
    *out = (struct itsi_flight_entry){
        .origin_us = t->origin / 1000,
        .camera = info->camera,
        .seq = (uint32_t)info->seq,
        .deadline_us = after(t->origin, info->deadline),
        .width = (uint16_t)info->width,
        .height = (uint16_t)info->height,
        .origin_kind = (uint8_t)info->origin_kind,
        .key = info->key,
    };
    for (int i = 0; i < ITSI_FLIGHT_STAMPS; i++)
        out->stamp_us[i] = after(t->origin, stamps[i]);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static bool entry_is_sound(const struct itsi_flight_entry *e)
{
    return e->outcome < ITSI_FLIGHT_OUTCOMES && e->stage < ITSI_STAGE_COUNT && e->reason < ITSI_DROP_COUNT &&
           e->origin_us >= 0 && e->origin_us < INT64_MAX / 1000 - (int64_t)ITSI_FLIGHT_NEVER;
}

int64_t itsi_flight_ended_us(const struct itsi_flight_entry *e)
{
    for (int i = ITSI_FLIGHT_STAMPS; i-- > 0;)
        if (e->stamp_us[i] != ITSI_FLIGHT_NEVER)
            return e->origin_us + e->stamp_us[i];
    return e->origin_us;
}

static int keep(struct itsi_flight_file *out, size_t *cap, const struct itsi_flight_entry *entry)
{
    if (out->count == *cap) {
        size_t more = *cap ? *cap * 2 : 1024;
        void *grown = itsi_realloc(out->entries, more * sizeof *out->entries);
        if (!grown)
            return ITS_ENOMEM;
        out->entries = grown;
        *cap = more;
    }
    out->entries[out->count++] = *entry;
    return 0;
}

static int read_entries(struct itsi_flight_file *out, FILE *file, uint64_t count, int64_t camera, const char *path,
                        struct its_diag *diag)
{
    size_t cap = 0;
    out->first_us = INT64_MAX;
    for (uint64_t i = 0; i < count; i++) {
        struct itsi_flight_entry entry;
        if (fread(&entry, sizeof entry, 1, file) != 1)
            return itsi_fail(diag, ITS_EIO, "flight record %s: cannot be read to its end", path);
        if (!entry_is_sound(&entry))
            return itsi_fail(diag, ITS_EFORMAT, "flight record %s: entry %llu is damaged", path, (unsigned long long)i);
        int64_t ended = itsi_flight_ended_us(&entry);
        out->first_us = entry.origin_us < out->first_us ? entry.origin_us : out->first_us;
        out->last_us = ended > out->last_us ? ended : out->last_us;
        if ((camera == ITSI_FLIGHT_ALL || entry.camera == camera) && keep(out, &cap, &entry) != 0)
            return itsi_fail(diag, ITS_ENOMEM, "flight record %s: out of memory", path);
    }
    if (count == 0)
        out->first_us = 0;
    return 0;
}

static int read_open(struct itsi_flight_file *out, FILE *file, int64_t camera, const char *path, struct its_diag *diag)
{
    struct stat st;
    struct prefix prefix;
    if (fstat(fileno(file), &st) != 0)
        return itsi_fail_errno(diag, errno, "flight record %s", path);
    if (fread(&prefix, sizeof prefix, 1, file) != 1 || memcmp(prefix.magic, magic, sizeof magic) != 0)
        return itsi_fail(diag, ITS_EFORMAT, "flight record %s: not a flight record", path);
    if (prefix.version != ITSI_FLIGHT_VERSION)
        return itsi_fail(diag, ITS_EFORMAT, "flight record %s: version %u, this program reads version %d", path,
                         prefix.version, ITSI_FLIGHT_VERSION);
    uint64_t size = (uint64_t)st.st_size, head = sizeof prefix + (uint64_t)prefix.header_bytes;
    if (prefix.header_bytes > MOST_HEADER || size < head || (size - head) % sizeof *out->entries)
        return itsi_fail(diag, ITS_EFORMAT, "flight record %s: cut short or damaged", path);
    out->header = itsi_zalloc((size_t)prefix.header_bytes + 1);
    if (!out->header)
        return itsi_fail(diag, ITS_ENOMEM, "flight record %s: out of memory", path);
    if (fread(out->header, 1, prefix.header_bytes, file) != prefix.header_bytes)
        return itsi_fail(diag, ITS_EIO, "flight record %s: cannot be read to its end", path);
    return read_entries(out, file, (size - head) / sizeof *out->entries, camera, path, diag);
}

int itsi_flight_read(struct itsi_flight_file *out, const char *path, int64_t camera, struct its_diag *diag)
{
    *out = (struct itsi_flight_file){0};
    FILE *file = fopen(path, "rbe");
    if (!file)
        return itsi_fail_errno(diag, errno, "flight record %s", path);
    int rc = read_open(out, file, camera, path, diag);
    fclose(file);
    if (rc != 0)
        itsi_flight_file_fini(out);
    return rc;
}

void itsi_flight_file_fini(struct itsi_flight_file *file)
{
    itsi_free(file->header);
    itsi_free(file->entries);
    *file = (struct itsi_flight_file){0};
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static bool write_all(FILE *file, const char *header, const struct itsi_flight_entry *entries, size_t count)
{
    struct prefix prefix = {.version = ITSI_FLIGHT_VERSION, .header_bytes = (uint32_t)strlen(header)};
    memcpy(prefix.magic, magic, sizeof magic);
    return fwrite(&prefix, sizeof prefix, 1, file) == 1 &&
           fwrite(header, 1, prefix.header_bytes, file) == prefix.header_bytes &&
           (count == 0 || fwrite(entries, sizeof *entries, count, file) == count) && fflush(file) == 0 &&
           fsync(fileno(file)) == 0;
}

int itsi_flight_write(const char *path, const char *header, const struct itsi_flight_entry *entries, size_t count,
                      struct its_diag *diag)
{
    char part[4096];
    if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part)
        return itsi_fail(diag, ITS_EINVAL, "flight record %s: path too long", path);
    FILE *file = fopen(part, "wbe");
    if (!file)
        return itsi_fail_errno(diag, errno, "flight record %s", part);
    bool ok = write_all(file, header, entries, count);
    int err = errno;
    if (fclose(file) != 0 && ok) {
        ok = false;
        err = errno;
    }
    if (ok && rename(part, path) != 0) {
        ok = false;
        err = errno;
    }
    if (!ok) {
        (void)unlink(part);
        return itsi_fail_errno(diag, err, "flight record %s", path);
    }
    return 0;
}
