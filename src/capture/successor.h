/* Make before break: the camera's other stream is opened beside the one that is read, up to a key frame that was decoded.
 * Only then is the first one closed, so that no picture is missed while the other connects and waits for its key frame. One
 * that cannot be had costs nothing: the first goes on being read. For so long the camera serves two sessions.
 *
 * A stream without key frames, of which every picture renews a part (intra refresh), is decoded beside the other, when half
 * of frame_timeout has passed without one, until a whole picture comes of it; for as long again at most.
 *
 * Should the first stream be lost meanwhile, or fall silent, the other takes over as soon as it is ready.
 *
 * All functions belong to the capture's owner thread; the opening has a thread of its own. */
#ifndef ITSI_CAPTURE_SUCCESSOR_H
#define ITSI_CAPTURE_SUCCESSOR_H

#include "capture/session.h"

/* Called for every packet of the stream being read: begins, follows or calls off the opening, as the wish for the other
 * stream stands. True: the other stream is ready (or needs no opening) and the session is to end. */
bool itsi_successor_is_due(struct itsi_capture *c);
/* The stream that is read is lost: has the other been opened meanwhile? */
bool itsi_successor_stands_by(struct itsi_capture *c);
/* The same, and is it wanted, while nothing is read: cheap, concludes nothing. */
bool itsi_successor_waits(const struct itsi_capture *c);
/* Is it being opened? */
bool itsi_successor_is_coming(const struct itsi_capture *c);
/* The session that is ready, once; NULL: there is none. */
struct itsi_session *itsi_successor_take(struct itsi_capture *c);
/* Is one ready? */
bool itsi_successor_is_ready(const struct itsi_capture *c);
/* Calls the opening off, waits for its end and drops what it brought. */
void itsi_successor_cancel(struct itsi_capture *c);

#endif
