#include "infer/compile_cache_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/dirs.h"
#include "base/file_lock.h"
#include "base/hash.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LONGEST_WAIT_NS (20 * ITSI_NS_PER_S) /* longer than any compiling takes */
#define MOST_BYTES (INT64_C(2) << 30)
enum { MOST_FILES = 64, NAME_SIZE = 128 };

/* base/hash.h eight bytes at a time: the files are tens of megabytes, and nobody forges them. */
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t len)
{
    const uint8_t *p = data;
    for (; len >= sizeof(uint64_t); p += sizeof(uint64_t), len -= sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        hash = (hash ^ word) * ITSI_HASH_PRIME;
        hash ^= hash >> 32; /* the high bytes of a word reach the low ones of the next */
    }
    return itsi_hash_bytes(hash, p, len);
}

/* False: it cannot be read. Reading it here is no use of it (O_NOATIME, which only its owner may ask for). */
static bool hash_file(const char *path, uint64_t *hash)
{
    static _Thread_local char block[1 << 16];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOATIME);
    if (fd < 0 && errno == EPERM)
        fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t got;
    while ((got = read(fd, block, sizeof block)) > 0)
        *hash = hash_bytes(*hash, block, (size_t)got);
    close(fd);
    return got == 0;
}

/* Of the model's bytes, with the weights that an IR keeps beside it, and of the run time. */
static int key_of(const char *model_path, const char *runtime, uint64_t *key, struct its_diag *diag)
{
    char weights[4096];
    const size_t len = strlen(model_path);
    *key = hash_bytes(ITSI_HASH_START, runtime, strlen(runtime));
    if (!hash_file(model_path, key))
        return itsi_fail(diag, ITS_EIO, "%s: %s", model_path, strerror(errno));
    if (len < 4 || len >= sizeof weights || strcmp(model_path + len - 4, ".xml") != 0)
        return 0;
    snprintf(weights, sizeof weights, "%.*s.bin", (int)(len - 4), model_path);
    return hash_file(weights, key) ? 0 : itsi_fail(diag, ITS_EIO, "%s: %s", weights, strerror(errno));
}

/* --- the notes ---------------------------------------------------------------------------------------------------- */

struct notes {
    int count;
    struct {
        char name[NAME_SIZE];
        uint64_t hash;
    } file[MOST_FILES];
};

static void read_notes(const struct itsi_compile_cache *cache, struct notes *notes)
{
    char path[ITSI_COMPILE_PATH], line[256];
    notes->count = 0;
    FILE *file = itsi_compile_cache_path(path, cache->dir, ITSI_COMPILE_NOTES) ? fopen(path, "re") : NULL;
    if (!file)
        return;
    while (notes->count < MOST_FILES && fgets(line, sizeof line, file))
        if (sscanf(line, "%16" SCNx64 " %127s", &notes->file[notes->count].hash, notes->file[notes->count].name) == 2)
            notes->count++;
    fclose(file);
}

static bool as_noted(const struct notes *notes, const char *name, const char *path)
{
    uint64_t hash = ITSI_HASH_START;
    for (int i = 0; i < notes->count; i++)
        if (strcmp(notes->file[i].name, name) == 0)
            return hash_file(path, &hash) && hash == notes->file[i].hash;
    return false;
}

/* Removes what is not as it was noted. */
static void sweep(const struct itsi_compile_cache *cache)
{
    struct notes notes;
    char path[ITSI_COMPILE_PATH];
    DIR *dir = opendir(cache->dir);
    if (!dir)
        return;
    read_notes(cache, &notes);
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (!itsi_compile_cache_owns(entry->d_name) && itsi_compile_cache_path(path, cache->dir, entry->d_name) &&
            !as_noted(&notes, entry->d_name, path)) {
            itsi_warn("infer", "%s is not as it was written: the model is compiled again", path);
            unlink(path);
        }
    closedir(dir);
}

void itsi_compile_cache_seal(struct itsi_compile_cache *cache)
{
    char path[ITSI_COMPILE_PATH], part[ITSI_COMPILE_PATH], notes[ITSI_COMPILE_PATH];
    if (!cache->dir[0] || !itsi_compile_cache_path(part, cache->dir, ITSI_COMPILE_NEW_NOTES) ||
        !itsi_compile_cache_path(notes, cache->dir, ITSI_COMPILE_NOTES))
        return;
    itsi_compile_cache_trim(cache, &(const struct itsi_compile_limits){.files = MOST_FILES, .bytes = MOST_BYTES});
    DIR *dir = opendir(cache->dir);
    FILE *file = dir ? fopen(part, "we") : NULL;
    bool ok = file != NULL;
    for (const struct dirent *entry; ok && (entry = readdir(dir));) {
        uint64_t hash = ITSI_HASH_START;
        if (!itsi_compile_cache_owns(entry->d_name) && strlen(entry->d_name) < NAME_SIZE &&
            itsi_compile_cache_path(path, cache->dir, entry->d_name) && hash_file(path, &hash))
            ok = fprintf(file, "%016" PRIx64 " %s\n", hash, entry->d_name) > 0;
    }
    if (file)
        ok = fclose(file) == 0 && ok;
    if (dir)
        closedir(dir);
    if (!ok || rename(part, notes) != 0)
        unlink(part); /* the next start compiles again */
}

/* --- open and close ----------------------------------------------------------------------------------------------- */

/* Another start may remove a folder of which nothing is left before its lock is taken here. */
static int make_and_lock(struct itsi_compile_cache *cache, const char *lock, struct its_diag *diag)
{
    const int64_t until = itsi_now_ns() + LONGEST_WAIT_NS;
    int rc = ITS_ENOTFOUND;
    for (int tries = 0; rc == ITS_ENOTFOUND && tries < 3; tries++) {
        rc = itsi_make_dirs(cache->dir, "for compiled models", diag);
        if (rc == 0)
            rc = itsi_file_lock(&cache->lock, lock, until, NULL, diag);
    }
    return rc;
}

int itsi_compile_cache_open(struct itsi_compile_cache *cache, const char *root, const char *model_path,
                            const char *runtime, struct its_diag *diag)
{
    uint64_t key;
    char lock[ITSI_COMPILE_PATH];
    *cache = (struct itsi_compile_cache){.lock = -1};
    int rc = key_of(model_path, runtime, &key, diag);
    if (rc != 0)
        return rc;
    const int used = snprintf(cache->dir, sizeof cache->dir, "%s/%016" PRIx64, root, key);
    if (used < 0 || (size_t)used >= sizeof cache->dir || !itsi_compile_cache_path(lock, cache->dir, ITSI_COMPILE_LOCK))
        rc = itsi_fail(diag, ITS_EINVAL, "%s: path too long", root);
    else
        rc = make_and_lock(cache, lock, diag);
    if (rc != 0)
        cache->dir[0] = '\0';
    else
        sweep(cache);
    return rc;
}

void itsi_compile_cache_close(struct itsi_compile_cache *cache)
{
    if (cache->dir[0] && cache->lock >= 0)
        close(cache->lock);
    *cache = (struct itsi_compile_cache){.lock = -1};
}
