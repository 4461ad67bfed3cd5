/* AddressSanitizer refuses dlopen() with RTLD_DEEPBIND and ends the process; TBB, inside OpenVINO, asks for just that.
 * Programs that run OpenVINO under the sanitizer are linked with this: the same dlopen without the flag. */
#include <dlfcn.h>

__attribute__((visibility("default"))) void *dlopen(const char *file, int mode)
{
    static void *(*real)(const char *, int);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "dlopen");
    return real(file, mode & ~RTLD_DEEPBIND);
}
