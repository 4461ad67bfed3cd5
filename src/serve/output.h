/* Results into the JSON-lines file of the configuration: a thread between the detection bus and sink/jsonl.h. */
#ifndef ITSI_SERVE_OUTPUT_H
#define ITSI_SERVE_OUTPUT_H

#include "config/config.h"
#include "pipeline/pipeline.h"
#include "sink/jsonl.h"

struct itsi_output;
/* Starts when cfg names a file; else *out is NULL and all is well. What the disk is too slow for is lost and counted,
 * never waited for. */
ITS_NODISCARD int itsi_output_start(struct itsi_output **out, const struct its_cfg_output *cfg,
                                    struct itsi_pipeline *pipeline, struct its_diag *diag);
/* False (and zeroes) without a file. *lost: results that came faster than they could be written. */
bool itsi_output_status(struct itsi_output *output, struct itsi_jsonl_status *out, uint64_t *lost);
/* Writes what has been handed over so far, then ends. Takes NULL. */
void itsi_output_stop(struct itsi_output *output);

#endif
