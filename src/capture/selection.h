/* What of a stream is decoded, and which of its pictures go on, when not all of it is wanted. Pure.
 *
 * Access units are left out only where decoding can go on without harm: those that no other picture needs, or all from
 * some point on up to the next key frame.
 *
 * A picture that went on and was not taken for analysis is followed by the next ones, each in place of the one before,
 * until one is or until the next is due of its own: of them all one is wanted. Where key frames alone are decoded the group
 * is decoded for that: of cameras that fire in step all key frames come at one instant, more than can be analysed before
 * they are too old. What that costs is bounded by half of the group: a machine that is too slow must not spend its time on
 * decoding what it will not look at.
 *
 * Where more is wanted than there are key frames, books are kept of what was taken, and when a whole picture is owed the
 * group is decoded up to its middle and that picture goes on too. So a key frame a second, of which now and then one comes
 * to nothing, still gives a picture in every second. A group whose key frame was not taken soon gives no other: that machine
 * is too slow already. */
#ifndef ITSI_CAPTURE_SELECTION_H
#define ITSI_CAPTURE_SELECTION_H

#include "capture/capture.h"

struct itsi_selection {
    bool broken;  /* a needed unit was left out: nothing can be decoded before the next key frame or other entry */
    int64_t next; /* presentation time from which the next picture is wanted; ITSI_NO_TIME: any */
    bool offered;   /* a picture was handed on, and others may take its place ... */
    uint64_t taken; /* ... as long as no more pictures than these were taken ... */
    int64_t until;  /* ... and, with key frames alone, before this presentation time */
    /* with key frames alone, of which more are wanted than there are */
    double ahead;     /* what is owed at the beginning, 0..1: cameras that begin at one instant make up at different ones */
    double owed;      /* pictures that were wanted by `counted` and not taken; negative: more were */
    int64_t counted;  /* presentation time; ITSI_NO_TIME: no books are kept */
    uint64_t credited; /* `taken` at that time */
    int64_t soon, middle; /* of the group: if its key frame is taken by the first, the second is due; ITSI_NO_TIME: no */
};

enum itsi_selection_verdict {
    ITSI_PICTURE_SKIPPED,
    ITSI_PICTURE_DUE,
    ITSI_PICTURE_IN_PLACE /* goes on in place of the one before, which was not taken: as the same one of those wanted */
};

/* ahead: see there; any number, of which the fraction counts. */
void itsi_selection_init(struct itsi_selection *selection, double ahead);
void itsi_selection_reset(struct itsi_selection *selection); /* a new epoch or connection */
/* One access unit. */
struct itsi_selection_unit {
    bool key, disposable;
    bool entry;     /* decoding may begin at it, though perhaps no whole picture comes of it alone, as of a key frame */
    int64_t at;     /* its presentation time, ns */
    uint64_t taken; /* pictures that were taken so far, ever */
};
/* Is the access unit to be decoded? */
bool itsi_selection_unit(struct itsi_selection *selection, enum itsi_decode_mode decode,
                         const struct itsi_selection_unit *unit);
/* Does the picture of that unit go on, when at most `most` pictures a second are wanted (0: all) of a source that gives
 * `fps` (with key frames alone: that many of them)? Those that are due are spread evenly over the stream's own beat. */
enum itsi_selection_verdict itsi_selection_picture(struct itsi_selection *selection, enum itsi_decode_mode decode,
                                                   double most, double fps, const struct itsi_selection_unit *unit);
/* The picture of that unit, which was due, is about to be handed on; the rest as above. */
void itsi_selection_offer(struct itsi_selection *selection, enum itsi_decode_mode decode, double most, double fps,
                          const struct itsi_selection_unit *unit);

#endif
