/* The ground truth file beside a synthetic clip.
 *
 * Little-endian: "ITSTRUTH", version (u32), frames (u32), frames per second (f64), then frames + 1 offsets (u32, index
 * of each frame's first box; the last is the number of boxes), then the boxes as struct itsi_road_box. */
#ifndef ITSI_CAPTURE_TRUTH_H
#define ITSI_CAPTURE_TRUTH_H

#include "base/buf.h"
#include "capture/capture.h"

struct itsi_truth_writer {
    struct itsi_buf offsets, boxes;
    uint32_t frames, count;
};
void itsi_truth_init(struct itsi_truth_writer *w);
void itsi_truth_fini(struct itsi_truth_writer *w);
void itsi_truth_add(struct itsi_truth_writer *w, const struct itsi_road_box *boxes, int count);
ITS_NODISCARD int itsi_truth_save(struct itsi_truth_writer *w, const char *path, double fps, struct its_diag *diag);
/* ITS_EFORMAT for a file that is damaged in any way. */
ITS_NODISCARD int itsi_truth_load(struct itsi_synth_truth **out, const char *path, struct its_diag *diag);

#endif
