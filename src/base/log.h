/* Structured, levelled log lines. The library never prints: until the application installs a sink, lines go nowhere.
 * Library functions that return an error do not log it; only things nobody is waiting for (a camera lost in its own
 * thread) are logged. URLs must pass itsi_url_redact first. */
#ifndef ITSI_BASE_LOG_H
#define ITSI_BASE_LOG_H

#include "its/error.h"

enum itsi_log_level { ITSI_LOG_DEBUG, ITSI_LOG_INFO, ITSI_LOG_WARN, ITSI_LOG_ERROR };

typedef void itsi_log_sink(void *arg, enum itsi_log_level level, const char *component, const char *text);

/* Installs the sink (NULL: none). Call before threads start; the sink must be thread-safe. */
void itsi_log_install(itsi_log_sink *sink, void *arg, enum itsi_log_level least);

/* Changes the least level at any time, from any thread. */
void itsi_log_set_level(enum itsi_log_level least);

void itsi_log(enum itsi_log_level level, const char *component, const char *fmt, ...) ITS_PRINTF(3, 4);

/* A ready sink: "2026-01-31T12:00:00.123Z warn capture: text" to the FILE * in arg. */
void itsi_log_to_file(void *arg, enum itsi_log_level level, const char *component, const char *text);

#define itsi_debug(component, ...) itsi_log(ITSI_LOG_DEBUG, component, __VA_ARGS__)
#define itsi_info(component, ...) itsi_log(ITSI_LOG_INFO, component, __VA_ARGS__)
#define itsi_warn(component, ...) itsi_log(ITSI_LOG_WARN, component, __VA_ARGS__)
#define itsi_error(component, ...) itsi_log(ITSI_LOG_ERROR, component, __VA_ARGS__)

#endif
