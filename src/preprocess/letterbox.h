/* From the decoder's planes straight into the tensor: scale, convert to RGB, pad. One pass, no copies between.
 *
 * The definition, which the tests' numpy reference follows: scale = min(W/w, H/h); inner size = round(w*scale) x
 * round(h*scale), halves to even, at least 1; padding split evenly (left/top = round((W - inner)/2 - 0.1)), value 114;
 * bilinear sampling with half-pixel centres and clamped edges, luma and chroma each from its own plane (chroma siting:
 * centred); then the picture's own matrix and range (BT.601 limited when untagged), rounded to nearest and clamped to
 * 0..255. Along an axis of w samples shown on n pixels, pixel i samples luma at (i + 1/2) w/n - 1/2, and chroma (one
 * sample for every 2^s of luma) at ((i + 1/2) w/n) / 2^s - 1/2. Results are within one level of the exact ones, and the
 * same on every processor. */
#ifndef ITSI_PREPROCESS_LETTERBOX_H
#define ITSI_PREPROCESS_LETTERBOX_H

#include "core/frame.h"
#include "core/tensor.h"

/* Scratch of one preprocessing thread: tables kept for the 32 geometries (source size, chroma shifts, tensor size) used
 * last. */
struct itsi_letterboxer;

ITS_NODISCARD int itsi_letterboxer_create(struct itsi_letterboxer **out, struct its_diag *diag);
void itsi_letterboxer_destroy(struct itsi_letterboxer *boxer);

/* Geometry only. */
void itsi_letterbox_fit(int source_w, int source_h, int width, int height, struct itsi_letterbox *out);

/* Fills the whole tensor (padding included) and reports the mapping. ITSI_LAYOUT_NONE pictures fill nothing and succeed
 * (identity mapping of the tensor). Only a geometry not among those kept allocates. ITS_ENOMEM; ITS_EINVAL for a picture
 * or tensor without pixels, of sides outside 1..32768, or of an unknown layout or matrix. On failure the tensor is as it
 * was. */
ITS_NODISCARD int itsi_letterbox_run(struct itsi_letterboxer *boxer, const struct itsi_picture *picture,
                                     const struct itsi_image_tensor *tensor, struct itsi_letterbox *out);

#endif
