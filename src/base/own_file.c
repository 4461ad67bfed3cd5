#include "base/own_file.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>

bool itsi_own_file(char out[PATH_MAX])
{
    static const char anchor = 0; /* an address of ours */
    Dl_info info;
    struct link_map *map = NULL;
    if (!dladdr1(&anchor, &info, (void **)&map, RTLD_DL_LINKMAP) || !map)
        return false;
    /* the main program's entry has no name, and dli_fname is whatever its caller said in argv[0] */
    return realpath(map->l_name[0] ? map->l_name : "/proc/self/exe", out) != NULL;
}
