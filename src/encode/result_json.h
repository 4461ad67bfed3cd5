/* One result as a JSON object: the form of every output that carries detections. */
#ifndef ITSI_ENCODE_RESULT_JSON_H
#define ITSI_ENCODE_RESULT_JSON_H

#include "base/json.h"
#include "core/detection.h"

/* Appends
 *   {"camera","seq","epoch","trace_id"?,"capture_time","origin","age_ms","latency_ms","late",
 *    "quality_level","quality","batch","width","height","media_ms"?,"stages":{name:{"wait_ms","service_ms"}},
 *    "unattributed_ms",
 *    "detections":[{"class","class_id","score","box":[x1,y1,x2,y2],"track"?}]}
 * as the value of `key` (NULL at the top). Age is counted at `now` (monotonic). Classes without a name are "class_17".
 * No line breaks. Allocates only when the buffer grows. */
void itsi_result_json(struct itsi_json *json, const char *key, const struct itsi_result *result,
                      const char *const *names, int name_count, int64_t now);

#endif
