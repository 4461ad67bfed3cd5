/* Writes every result into the bounded JSON-lines file, on a thread of its own: a slow disk loses lines (counted), never
 * frames. */
#ifndef ITSI_PIPELINE_RESULT_WRITER_H
#define ITSI_PIPELINE_RESULT_WRITER_H

#include "pipeline/pipeline.h"
#include "sink/jsonl.h"

struct itsi_result_writer;
/* Opens cfg->jsonl_path (must be set) and subscribes. The pipeline outlives the writer. */
ITS_NODISCARD int itsi_result_writer_start(struct itsi_result_writer **out, struct itsi_pipeline *pipeline,
                                           const struct its_cfg_output *cfg, struct its_diag *diag);
/* `queue_lost` (may be NULL): results the file was too slow for. */
void itsi_result_writer_status(struct itsi_result_writer *writer, struct itsi_jsonl_status *out, uint64_t *queue_lost);
/* Writes what is queued and ends; its status can still be asked. Takes NULL. */
void itsi_result_writer_stop(struct itsi_result_writer *writer);
/* Stops first. Takes NULL. */
void itsi_result_writer_destroy(struct itsi_result_writer *writer);

#endif
