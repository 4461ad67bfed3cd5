/* A newcomer asks for room. */
#include "pipeline/quality_impl.h"

#include "base/diag.h"
#include "config/value.h"

/* As far as it is known before it connects. */
static void describe_newcomer(const struct itsi_camera_stream *stream, struct itsi_quality_camera *out)
{
    const struct itsi_camera *camera = &stream->config;
    struct itsi_capture_told told;
    itsi_capture_tell(stream->capture, &told);
    const double expected = told.fps > 0 ? told.fps : stream->pipeline->capture_cfg.expected_fps;
    *out = (struct itsi_quality_camera){
        .key = (uint64_t)stream->index + 1,
        .weight = camera->priority,
        .is_priority = itsi_quality_is_priority(stream->pipeline->quality, camera->id),
        .pin = -1,
        .boost = -1,
        .start = -1,
        .width = told.width,
        .height = told.height,
        .fps = camera->fps > 0 ? camera->fps : expected,
        .has_sub = camera->sub_url[0] != '\0',
        .undecoded = told.undecoded,
    };
}

struct answer {
    struct itsi_quality_offer offer;
    bool begins; /* as follows, until a step decides; else where its peers are */
    struct itsi_quality_target begin;
};

/* What was promised since the last step, and what of earlier promises does not show yet, is not promised again. What the
 * operator set up is not asked for, but others are not shown its room. The mutex is held. */
static void judge(struct itsi_quality_control *q, const struct itsi_quality_camera *camera, bool configured,
                  struct answer *out)
{
    struct itsi_quality_capacity capacity = q->capacity;
    *out = (struct answer){.offer = {.admitted = true, .level = q->policy.default_level}};
    if (!q->policy.enabled)
        return;
    if (!configured) {
        itsi_quality_grants_debit(&q->grants, &capacity);
        itsi_quality_admit(&capacity, &q->policy, camera, &out->offer);
    }
    if (!out->offer.admitted)
        return;
    itsi_quality_grants_add(&q->grants, &q->capacity, &q->policy, camera, &out->offer);
    out->begins = !configured;
    itsi_quality_begin(&q->capacity, &q->policy, camera, &out->offer, &out->begin);
}

int itsi_stream_quality_admit(struct itsi_camera_stream *stream, struct its_diag *diag)
{
    struct itsi_quality_control *q = stream->pipeline->quality;
    struct itsi_quality_camera camera;
    struct itsi_capture_status capture;
    struct answer answer;
    itsi_capture_status(stream->capture, &capture);
    if (!q || !capture.live)
        return 0; /* one that waits for its results always fits */
    describe_newcomer(stream, &camera);
    pthread_mutex_lock(&q->mutex);
    judge(q, &camera, stream->config.configured, &answer);
    pthread_mutex_unlock(&q->mutex);
    if (!answer.offer.admitted) {
        char text[160];
        itsi_quality_offer_text(&answer.offer, text, sizeof text);
        return itsi_fail(diag, ITS_ELIMIT, "does not fit: %s", text);
    }
    if (answer.begins) {
        stream->quality.start = answer.offer.level;
        stream->quality.start_at_floor = answer.offer.at_floor;
        itsi_quality_apply(stream, &answer.begin);
    }
    return 0;
}
