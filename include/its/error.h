/* Error codes and diagnostics of the ITS Camera AI library.
 *
 * Every fallible function returns 0 or one of the negative codes below; the human text goes into a caller-owned
 * struct its_diag, which may be NULL. An out-parameter is written on success only. */
#ifndef ITS_ERROR_H
#define ITS_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define ITS_API __attribute__((visibility("default")))
#define ITS_NODISCARD __attribute__((warn_unused_result))
#define ITS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define ITS_API
#define ITS_NODISCARD
#define ITS_PRINTF(fmt, args)
#endif

/* X(NAME, code, text) */
#define ITS_ERRNO_MAP(X)                                                                                               \
    X(NOMEM, -1, "out of memory")                                                                                      \
    X(INVAL, -2, "invalid argument or value")                                                                          \
    X(NOTFOUND, -3, "not found")                                                                                       \
    X(EXISTS, -4, "already exists")                                                                                    \
    X(IO, -5, "input/output error")                                                                                    \
    X(FORMAT, -6, "unsupported or damaged format")                                                                     \
    X(AUTH, -7, "not authorised")                                                                                      \
    X(REFUSED, -8, "connection refused")                                                                               \
    X(TIMEOUT, -9, "timed out")                                                                                        \
    X(EOF, -10, "end of stream")                                                                                       \
    X(BUSY, -11, "busy or address in use")                                                                             \
    X(CANCELLED, -12, "cancelled")                                                                                     \
    X(DEVICE, -13, "device or inference engine failure")                                                               \
    X(UNSUPPORTED, -14, "not supported here")                                                                          \
    X(LIMIT, -15, "a configured limit is reached")                                                                     \
    X(AGAIN, -16, "nothing available yet")                                                                             \
    X(NOSPACE, -17, "no space left on the device")                                                                     \
    X(INTERNAL, -18, "internal error")

enum its_errno {
    ITS_OK = 0,
#define ITS_X(name, code, text) ITS_E##name = code,
    ITS_ERRNO_MAP(ITS_X)
#undef ITS_X
};

/* Caller-owned room for one human-readable explanation. Always NUL-terminated after a failing call. */
struct its_diag {
    char text[512];
};

/* Short static text of a code ("timed out"); never NULL. */
ITS_API const char *its_strerror(int code);
/* Symbolic name of a code ("ITS_ETIMEOUT"); never NULL. */
ITS_API const char *its_errname(int code);

#ifdef __cplusplus
}
#endif
#endif
