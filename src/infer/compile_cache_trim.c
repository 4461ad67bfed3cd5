/* What is kept of all models together: no more than so many files and bytes. */
#include "infer/compile_cache_impl.h"

#include "base/clock.h"
#include "base/file_lock.h"
#include "base/log.h"
#include "base/mem.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct kept {
    char *path; /* owned */
    int64_t used_ns, bytes;
};

struct inventory {
    struct kept *items;
    int count, room;
    int64_t bytes;
};

static int64_t in_ns(struct timespec time) { return time.tv_sec * ITSI_NS_PER_S + time.tv_nsec; }

/* Without memory it is left out, and so kept. */
static void add(struct inventory *all, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return;
    if (all->count == all->room) {
        const int room = all->room ? 2 * all->room : 64;
        struct kept *items = itsi_realloc(all->items, (size_t)room * sizeof *items);
        if (!items)
            return;
        all->items = items;
        all->room = room;
    }
    /* file systems that do not write down when a file is read know at least when it was written */
    const int64_t read_ns = in_ns(st.st_atim), written_ns = in_ns(st.st_mtim);
    struct kept *item = &all->items[all->count];
    *item = (struct kept){itsi_strdup(path), read_ns > written_ns ? read_ns : written_ns, st.st_size};
    if (!item->path)
        return;
    all->bytes += item->bytes;
    all->count++;
}

static void list_folder(struct inventory *all, const char *folder)
{
    char path[ITSI_COMPILE_PATH];
    DIR *dir = opendir(folder);
    if (!dir)
        return;
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (!itsi_compile_cache_owns(entry->d_name) && itsi_compile_cache_path(path, folder, entry->d_name))
            add(all, path);
    closedir(dir);
}

static void list(struct inventory *all, const char *root)
{
    char path[ITSI_COMPILE_PATH];
    DIR *dir = opendir(root);
    if (!dir)
        return;
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.' && itsi_compile_cache_path(path, root, entry->d_name))
            list_folder(all, path);
    closedir(dir);
}

static int by_use(const void *a, const void *b)
{
    const struct kept *x = a, *y = b;
    return x->used_ns != y->used_ns ? (x->used_ns > y->used_ns) - (x->used_ns < y->used_ns) : strcmp(x->path, y->path);
}

/* A model's folder of which nothing is left. Its lock is held, and goes last; who waits for it begins anew. */
static void remove_if_empty(const char *folder)
{
    static const char *const own[] = {ITSI_COMPILE_NEW_NOTES, ITSI_COMPILE_NOTES, ITSI_COMPILE_LOCK};
    char path[ITSI_COMPILE_PATH];
    struct inventory left = {0};
    list_folder(&left, folder);
    const bool empty = left.count == 0;
    for (int i = 0; i < left.count; i++)
        itsi_free(left.items[i].path);
    itsi_free(left.items);
    for (size_t i = 0; empty && i < sizeof own / sizeof own[0]; i++)
        if (itsi_compile_cache_path(path, folder, own[i]))
            unlink(path);
    if (empty)
        rmdir(folder);
}

/* False: it stays, since another start has its folder. */
static bool remove_kept(const struct itsi_compile_cache *cache, const char *file)
{
    char folder[ITSI_COMPILE_PATH], path[ITSI_COMPILE_PATH];
    int lock;
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(file, '/') - file), file);
    if (strcmp(folder, cache->dir) == 0)
        return unlink(file) == 0;
    if (!itsi_compile_cache_path(path, folder, ITSI_COMPILE_LOCK) || itsi_file_lock(&lock, path, 0, NULL, NULL) != 0)
        return false;
    const bool removed = unlink(file) == 0;
    remove_if_empty(folder);
    close(lock);
    return removed;
}

void itsi_compile_cache_trim(const struct itsi_compile_cache *cache, const struct itsi_compile_limits *limits)
{
    char root[ITSI_COMPILE_PATH];
    struct inventory all = {0};
    const char *end = strrchr(cache->dir, '/');
    if (!end)
        return;
    snprintf(root, sizeof root, "%.*s", (int)(end - cache->dir), cache->dir);
    list(&all, root);
    if (all.count > 0)
        qsort(all.items, (size_t)all.count, sizeof *all.items, by_use);
    int files = all.count;
    for (int i = 0; i < all.count; i++) {
        const struct kept *item = &all.items[i];
        if ((files > limits->files || all.bytes > limits->bytes) && remove_kept(cache, item->path)) {
            itsi_info("infer", "%s was not used for longest: removed, the compiled models take too much", item->path);
            files--;
            all.bytes -= item->bytes;
        }
        itsi_free(item->path);
    }
    itsi_free(all.items);
}
