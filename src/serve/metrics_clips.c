/* Clips of incidents: made and failed, kept, and the memory they begin in. */
#include "serve/metrics.h"

void itsi_put_clip_metrics(struct itsi_exposition *e, struct itsi_pipeline *pipeline)
{
    struct itsi_clips *clips = itsi_pipeline_clips(pipeline);
    struct itsi_clips_stats stats = {0};
    struct itsi_packet_store_stats memory;
    if (clips)
        itsi_clips_stats(clips, &stats);
    itsi_pipeline_clip_memory(pipeline, &memory);
    itsi_exposition_family(e, ITSI_METRIC_COUNTER, "its_clips", NULL,
                           "Clips of incidents and what became of them: written, failed (the log and /api/v1/clips say "
                           "why), dropped (too many were in the making).");
    itsi_exposition_count(e, ITSI_LABELS({"result", "written"}), stats.written);
    itsi_exposition_count(e, ITSI_LABELS({"result", "failed"}), stats.failed);
    itsi_exposition_count(e, ITSI_LABELS({"result", "dropped"}), stats.dropped);
    itsi_put_gauge(e, "its_clips_waiting", NULL, "Clips in the making.", (double)stats.waiting);
    itsi_put_gauge(e, "its_clips_kept", NULL, "Clips in data_dir/clips.", (double)stats.kept.files);
    itsi_put_gauge(e, "its_clips_kept_bytes", "bytes", "Size of the clips in data_dir/clips.",
                   (double)stats.kept.bytes);
    itsi_put_gauge(e, "its_clips_memory_bytes", "bytes", "Memory that the last seconds of all cameras take.",
                   (double)memory.used);
    itsi_put_gauge(e, "its_clips_memory_limit_bytes", "bytes", "Most that they may take (clip_memory_mb).",
                   (double)memory.bytes);
}
