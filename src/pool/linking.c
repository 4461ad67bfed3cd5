#include "pool/linking.h"

#include "net/backoff.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the way -------------------------------------------------------------------------------------------------------- */

static void note_failure(struct itsi_linking *linking, const struct itsi_linking_policy *policy, int64_t now)
{
    linking->failures++;
    linking->again = now + itsi_backoff_bound(policy->first_ns, policy->most_ns, linking->failures);
}

bool itsi_linking_try(struct itsi_linking *linking, const struct itsi_linking_policy *policy, int64_t now)
{
    if (linking->impossible)
        return false;
    if (linking->failures == 0)
        return true;
    if (now < linking->again)
        return false;
    note_failure(linking, policy, now); /* until it works: so nobody else tries */
    return true;
}

bool itsi_linking_failed(struct itsi_linking *linking, const struct itsi_linking_policy *policy, int64_t now)
{
    if (linking->impossible || linking->failures > 0)
        return false;
    note_failure(linking, policy, now);
    linking->changes++;
    return true;
}

bool itsi_linking_worked(struct itsi_linking *linking)
{
    const bool left = linking->failures > 0;
    linking->failures = 0;
    return left;
}

bool itsi_linking_rule_out(struct itsi_linking *linking)
{
    const bool is_news = !linking->impossible;
    linking->impossible = true;
    return is_news;
}

/* --- the program ---------------------------------------------------------------------------------------------------- */

static bool read_at(int fd, void *out, size_t size, uint64_t at) { return pread(fd, out, size, (off_t)at) == (ssize_t)size; }

/* That it names the loader is what makes the kernel start that first, and so what preloading needs. */
static bool names_loader(int fd)
{
    ElfW(Ehdr) header;
    ElfW(Phdr) part;
    if (!read_at(fd, &header, sizeof header, 0) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_phentsize != sizeof part)
        return false;
    for (unsigned i = 0; i < header.e_phnum; i++)
        if (read_at(fd, &part, sizeof part, header.e_phoff + i * sizeof part) && part.p_type == PT_INTERP)
            return true;
    return false;
}

bool itsi_linking_suits(const char *program)
{
    const int fd = open(program, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true; /* may be executed, not read: trying tells */
    const bool suits = names_loader(fd);
    close(fd);
    return suits;
}

/* Symbolic links are followed; /proc/PID/exe leads to the file itself, also where that has no name any more. */
struct itsi_linking_file itsi_linking_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (struct itsi_linking_file){info.st_dev, info.st_ino} : (struct itsi_linking_file){0, 0};
}

struct itsi_linking_file itsi_linking_file_of(pid_t pid)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    return itsi_linking_file(path);
}

static bool is_known(struct itsi_linking_file file) { return file.device || file.inode; }

static bool is_same(struct itsi_linking_file a, struct itsi_linking_file b)
{
    return a.device == b.device && a.inode == b.inode;
}

enum itsi_linking_runs itsi_linking_compare(struct itsi_linking_file before, struct itsi_linking_file after,
                                            struct itsi_linking_file runs)
{
    if (!is_known(before) || !is_known(runs) || !is_same(before, after))
        return ITSI_LINKING_REPLACED;
    return is_same(runs, after) ? ITSI_LINKING_PROGRAM : ITSI_LINKING_ANOTHER;
}
