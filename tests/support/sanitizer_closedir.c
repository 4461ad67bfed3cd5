/* libuv closes descriptors by a bare system call, which ThreadSanitizer does not see, and opendir() opens them inside the C
 * library, which it does not see either: when a folder gets the number of a socket that another thread had, closing the folder
 * looks like a race for that socket. The program is linked with this under that sanitizer. */
__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void);

const char *__tsan_default_suppressions(void) { return "race:closedir\n"; }
