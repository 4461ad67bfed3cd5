/* What access units of H.264 and HEVC say of themselves: that no other picture needs them, that decoding may begin at them but
 * gives no whole picture yet. Pure. */
#ifndef ITSI_CAPTURE_NAL_H
#define ITSI_CAPTURE_NAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct itsi_nal_format {
    bool known;      /* H.264 or HEVC; of other codecs nothing is said to be disposable */
    bool hevc;
    int length_size; /* 1..4: NAL units with a length before them (mp4); 0: with start codes */
    int highest_layer; /* HEVC: highest temporal layer seen; a picture below it may be needed by one above */
};

enum itsi_nal_codec { ITSI_NAL_OTHER, ITSI_NAL_H264, ITSI_NAL_HEVC };
/* extradata: the codec's configuration record, or parameter sets with start codes, or nothing. */
void itsi_nal_format_init(struct itsi_nal_format *format, enum itsi_nal_codec codec, const uint8_t *extradata,
                          size_t size);
/* May the access unit be left out without harm to any other? Judged by its first slice (ITU-T H.264 7.4.1, nal_ref_idc 0;
 * H.265 7.4.2.2, sub-layer non-reference pictures of the highest temporal layer). */
bool itsi_nal_is_disposable(struct itsi_nal_format *format, const uint8_t *data, size_t size);
/* Does a gradual refresh begin with the access unit: a recovery point that is reached only with a later picture (H.264 D.2.8,
 * recovery_frame_cnt above 0)? Decoding may begin there, as at a key frame, but no whole picture comes of it alone. */
bool itsi_nal_begins_refresh(const struct itsi_nal_format *format, const uint8_t *data, size_t size);

#endif
