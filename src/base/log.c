#include "base/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

static itsi_log_sink *installed_sink;
static void *installed_arg;
static atomic_int least_level;

void itsi_log_install(itsi_log_sink *sink, void *arg, enum itsi_log_level least)
{
    installed_sink = sink;
    installed_arg = arg;
    atomic_store(&least_level, (int)least);
}

void itsi_log_set_level(enum itsi_log_level least) { atomic_store(&least_level, (int)least); }

void itsi_log(enum itsi_log_level level, const char *component, const char *fmt, ...)
{
    if (!installed_sink || (int)level < atomic_load_explicit(&least_level, memory_order_relaxed))
        return;
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    installed_sink(installed_arg, level, component, text);
}

void itsi_log_to_file(void *arg, enum itsi_log_level level, const char *component, const char *text)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    char when[32];
    itsi_format_wall(itsi_wall_ns(), when);
    fprintf((FILE *)arg, "%s %s %s: %s\n", when, names[level], component, text);
}
