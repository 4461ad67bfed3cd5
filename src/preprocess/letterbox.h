/* From the decoder's planes straight into the tensor: scale, convert to RGB, pad. One pass, no copies between.
 *
 * The definition, which the tests' numpy reference follows: scale = min(W/w, H/h); inner size = round(w*scale) x
 * round(h*scale); padding split evenly (left/top = round((W - inner)/2 - 0.1)), value 114; bilinear sampling with
 * half-pixel centres and clamped edges, luma and chroma each from its own plane (chroma siting: centred); then the
 * picture's own matrix and range (BT.601 limited when untagged), rounded to nearest and clamped to 0..255. */
#ifndef ITSI_PREPROCESS_LETTERBOX_H
#define ITSI_PREPROCESS_LETTERBOX_H

#include "core/frame.h"
#include "core/tensor.h"

/* Scratch of one preprocessing thread: tables kept per (source size, tensor size), grown on change of geometry only.*/
struct itsi_letterboxer;

ITS_NODISCARD int itsi_letterboxer_create(struct itsi_letterboxer **out, struct its_diag *diag);
void itsi_letterboxer_destroy(struct itsi_letterboxer *boxer);

/* Geometry only. */
void itsi_letterbox_fit(int source_w, int source_h, int width, int height, struct itsi_letterbox *out);

/* Fills the whole tensor (padding included) and reports the mapping. ITSI_LAYOUT_NONE pictures fill nothing and succeed
 * (identity mapping of the tensor). Only a change of geometry allocates. */
ITS_NODISCARD int itsi_letterbox_run(struct itsi_letterboxer *boxer, const struct itsi_picture *picture,
                                     const struct itsi_image_tensor *tensor, struct itsi_letterbox *out);

#endif
