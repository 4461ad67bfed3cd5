#include "base/diag.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *its_strerror(int code)
{
    switch (code) {
    case ITS_OK:
        return "success";
#define ITS_X(name, value, text)                                                                                       \
    case ITS_E##name:                                                                                                  \
        return text;
        ITS_ERRNO_MAP(ITS_X)
#undef ITS_X
    default:
        return "unknown error";
    }
}

const char *its_errname(int code)
{
    switch (code) {
    case ITS_OK:
        return "ITS_OK";
#define ITS_X(name, value, text)                                                                                       \
    case ITS_E##name:                                                                                                  \
        return "ITS_E" #name;
        ITS_ERRNO_MAP(ITS_X)
#undef ITS_X
    default:
        return "ITS_E?";
    }
}

int itsi_fail(struct its_diag *diag, int code, const char *fmt, ...)
{
    if (diag) {
        va_list args;
        va_start(args, fmt);
        vsnprintf(diag->text, sizeof diag->text, fmt, args);
        va_end(args);
    }
    return code;
}

int itsi_code_from_errno(int errnum)
{
    switch (errnum) {
    case ENOMEM:
        return ITS_ENOMEM;
    case ENOENT:
        return ITS_ENOTFOUND;
    case EEXIST:
        return ITS_EEXISTS;
    case EACCES:
    case EPERM:
        return ITS_EAUTH;
    case ECONNREFUSED:
        return ITS_EREFUSED;
    case ETIMEDOUT:
        return ITS_ETIMEOUT;
    case EADDRINUSE:
    case EBUSY:
        return ITS_EBUSY;
    case ENOSPC:
    case EDQUOT:
        return ITS_ENOSPACE;
    case EINVAL:
        return ITS_EINVAL;
    default:
        return ITS_EIO;
    }
}

int itsi_fail_errno(struct its_diag *diag, int errnum, const char *fmt, ...)
{
    if (diag) {
        va_list args;
        va_start(args, fmt);
        int used = vsnprintf(diag->text, sizeof diag->text, fmt, args);
        va_end(args);
        if (used >= 0 && (size_t)used < sizeof diag->text) {
            char why[128];
            /* the GNU strerror_r, which returns the text */
            const char *text = strerror_r(errnum, why, sizeof why);
            snprintf(diag->text + used, sizeof diag->text - (size_t)used, ": %s", text);
        }
    }
    return itsi_code_from_errno(errnum);
}

int itsi_diag_prefix(struct its_diag *diag, int code, const char *fmt, ...)
{
    if (diag) {
        char old[sizeof diag->text];
        memcpy(old, diag->text, sizeof old);
        old[sizeof old - 1] = '\0';
        va_list args;
        va_start(args, fmt);
        int used = vsnprintf(diag->text, sizeof diag->text, fmt, args);
        va_end(args);
        size_t room = used >= 0 && (size_t)used < sizeof diag->text ? sizeof diag->text - (size_t)used : 0;
        if (room > 3) /* cut on purpose, which some builds of gcc would otherwise call an error */
            snprintf(diag->text + used, room, ": %.*s", (int)(room - 3), old);
    }
    return code;
}
