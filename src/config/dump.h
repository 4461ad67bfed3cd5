/* A configuration as JSON or text again, and what explains one option.
 *
 * Shown to people (the command line, the API, logs) everything passes the redaction: a secret given as text is "***", a
 * reference is shown as it was given, camera URLs and other URLs pass itsi_url_redact. Only ITSI_DUMP_REVEAL, meant for
 * a file that is loaded again, keeps them; a secret that came from an environment variable is then written as
 * {"env": NAME}, so that it does not move into the file. itsi_config_write makes that file readable by its owner only.
 * A redacted dump loads as well, unless it hid a secret: "***" is refused rather than taken for one. */
#ifndef ITSI_CONFIG_DUMP_H
#define ITSI_CONFIG_DUMP_H

#include "base/buf.h"
#include "config/load.h"

enum {
    ITSI_DUMP_FULL = 1,   /* every option; else the strategy and what file, environment and command line set */
    ITSI_DUMP_REVEAL = 2,
};

/* In the shape of a configuration file. New reference; NULL when out of memory. */
json_t *itsi_config_json(const struct itsi_config *config, int flags);
/* The same as indented text with a final newline. */
ITS_NODISCARD int itsi_config_text(const struct itsi_config *config, int flags, struct itsi_buf *out);
/* The same into a file, replaced as a whole (mode 0600). */
ITS_NODISCARD int itsi_config_write(const struct itsi_config *config, int flags, const char *path,
                                    struct its_diag *diag);

/* One option's value in force, redacted. New reference. */
json_t *itsi_config_shown(const struct itsi_config *config, const struct itsi_option *option);
/* {"key", "value", "default", "type", "range", "unit", "environment": [..], "applies": "live"|"restart", "help",
 * "source", "layers": [{"layer", "where", "value"}, ...]}: layers from the weakest that said anything to the strongest,
 * redacted. New reference. */
json_t *itsi_config_explain(const struct itsi_config *config, const struct itsi_option *option);

/* JSON Schema (2020-12) of a configuration file. New reference. */
json_t *itsi_config_schema(void);

/* Indented JSON; arrays of plain values stay on one line, numbers are the shortest that read back the same. */
void itsi_json_pretty(struct itsi_buf *out, const json_t *value);
/* Without any line breaks. */
void itsi_json_compact(struct itsi_buf *out, const json_t *value);

#endif
