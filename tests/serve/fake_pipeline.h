/* A stand-in for pipeline/pipeline.h's implementation: N cameras with generated pictures in which boxes move, results in
 * time but for a few, and books that balance. A camera whose URL contains "dead" never gives a picture; "novideo" gives
 * results without pixels. Quality is what pins and boosts say, at once; nothing else changes it. Linked before the library, it takes the real one's place. */
#ifndef ITS_TESTS_FAKE_PIPELINE_H
#define ITS_TESTS_FAKE_PIPELINE_H

#include "pipeline/pipeline.h"

struct fake_params {
    const struct its_cfg *cfg;
    int width, height;
    double fps;
    const char *otlp; /* a collector; NULL: none */
    double trace_rate;
    bool no_quality; /* as with enabled=false */
    const char *clips; /* a folder with clips; NULL: none are made */
};
struct itsi_pipeline *fake_create(const struct fake_params *params);
/* Results published so far, and the longest any one publish took (ns): a slow viewer must not show in it. */
uint64_t fake_published(struct itsi_pipeline *pipeline);
int64_t fake_longest_publish_ns(struct itsi_pipeline *pipeline);
/* Processor time that was told of pictures made (ns). */
int64_t fake_encode_ns(struct itsi_pipeline *pipeline);

#endif
