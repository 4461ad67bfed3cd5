/* Admission at a simulated machine, as the pipeline does it: whoever asks is shown what there is less what was promised, and
 * whoever is let in begins at what was offered. */
#ifndef ITSI_QUALITY_DESK_FIXTURE_H
#define ITSI_QUALITY_DESK_FIXTURE_H

#include "quality/grants.h"
#include "quality/plant_fixture.h"
#include "support/check.h"

struct desk {
    struct plant *plant;
    struct itsi_quality_grants grants;
    int turned_away;
    char reason[160]; /* of the last */
};

static inline void desk_open(struct desk *desk, struct plant *plant)
{
    struct its_diag diag;
    *desk = (struct desk){.plant = plant};
    CHECK_OK(itsi_quality_grants_init(&desk->grants, PLANT_CAMERAS, &diag), diag);
}

static inline void desk_close(struct desk *desk)
{
    itsi_quality_grants_fini(&desk->grants);
    plant_destroy(desk->plant);
}

static inline void desk_tick(struct desk *desk)
{
    struct plant *plant = desk->plant;
    struct itsi_quality_capacity capacity;
    plant_tick(plant);
    itsi_quality_capacity(plant->state, &capacity);
    itsi_quality_grants_follow(&desk->grants, &plant->snapshot, plant->targets, &capacity, &plant->policy);
}

static inline void desk_run(struct desk *desk, double seconds)
{
    for (int64_t end = desk->plant->now + (int64_t)(seconds * 1e9); desk->plant->now < end;)
        desk_tick(desk);
}

/* A camera of which only its announced rate is known asks; in truth it is as large as that. Returns its key; 0: turned away. */
static inline uint64_t desk_ask(struct desk *desk, int width, int height, double fps)
{
    struct plant *plant = desk->plant;
    const struct itsi_quality_camera camera = {.key = plant->next_key, .pin = -1, .boost = -1, .start = -1, .fps = fps,
                                               .undecoded = plant->undecoded};
    struct itsi_quality_capacity now, capacity;
    struct itsi_quality_offer offer;
    itsi_quality_capacity(plant->state, &now);
    capacity = now;
    itsi_quality_grants_debit(&desk->grants, &capacity);
    itsi_quality_admit(&capacity, &plant->policy, &camera, &offer);
    if (!offer.admitted) {
        desk->turned_away++;
        itsi_quality_offer_text(&offer, desk->reason, sizeof desk->reason);
        return 0;
    }
    itsi_quality_grants_add(&desk->grants, &now, &plant->policy, &camera, &offer);
    const int at = plant_add(plant, 1, width, height, fps);
    itsi_quality_begin(&now, &plant->policy, &camera, &offer, &plant->targets[at]);
    plant->cameras[at].facts.start = offer.level;
    plant->cameras[at].facts.start_at_floor = offer.at_floor;
    return plant->cameras[at].facts.key;
}

static inline void desk_leave(struct desk *desk, uint64_t key)
{
    for (int i = 0; i < desk->plant->count; i++)
        if (desk->plant->cameras[i].facts.key == key) {
            plant_remove(desk->plant, i);
            return;
        }
}

#endif
