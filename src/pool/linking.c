#include "pool/linking.h"

#include "net/backoff.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

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

bool itsi_linking_is_due(const struct itsi_linking *linking, int64_t now)
{
    return !linking->impossible && now >= linking->again;
}

bool itsi_linking_failed(struct itsi_linking *linking, const struct itsi_linking_policy *policy, int64_t now)
{
    if (linking->impossible || now < linking->again)
        return false;
    linking->failures++;
    linking->again = now + itsi_backoff_bound(policy->first_ns, policy->most_ns, linking->failures);
    linking->changes += linking->failures == 1;
    return linking->failures == 1;
}

bool itsi_linking_worked(struct itsi_linking *linking)
{
    const bool left = linking->failures > 0;
    linking->failures = 0;
    linking->again = 0;
    return left;
}
