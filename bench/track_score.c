#include "track_score.h"

#include "base/mem.h"

#include <stdbool.h>

int track_identities_init(struct track_identities *identities, int32_t room)
{
    *identities = (struct track_identities){.id_of = itsi_calloc((size_t)room, sizeof *identities->id_of), .room = room};
    return identities->id_of ? 0 : ITS_ENOMEM;
}

void track_identities_fini(struct track_identities *identities)
{
    itsi_free(identities->id_of);
    *identities = (struct track_identities){.room = 0};
}

static void follow(struct track_score *score, struct track_identities *identities, int32_t wanted, int32_t said)
{
    if (!identities || wanted <= 0 || wanted >= identities->room || said <= 0)
        return;
    int32_t *last = &identities->id_of[wanted];
    if (*last != 0)
        *(*last == said ? &score->kept : &score->changed) += 1;
    *last = said;
}

void track_score_add(struct track_score *score, struct track_identities *identities, const struct itsi_detection *said,
                     int said_count, const struct itsi_detection *wanted, int wanted_count)
{
    bool taken[ITSI_MAX_DETECTIONS] = {false};
    score->said += (uint64_t)said_count;
    score->wanted += (uint64_t)wanted_count;
    for (int i = 0; i < said_count; i++) {
        int best = -1;
        float best_overlap = 0;
        for (int k = 0; k < wanted_count; k++) {
            if (taken[k] || wanted[k].cls != said[i].cls)
                continue;
            const float common = itsi_detection_iou(&said[i], &wanted[k]);
            if (common >= TRACK_SCORE_IOU && common > best_overlap) {
                best_overlap = common;
                best = k;
            }
        }
        if (best < 0)
            continue;
        taken[best] = true;
        score->right++;
        follow(score, identities, wanted[best].track, said[i].track);
    }
}

void track_score_merge(struct track_score *into, const struct track_score *from)
{
    into->said += from->said;
    into->wanted += from->wanted;
    into->right += from->right;
    into->kept += from->kept;
    into->changed += from->changed;
}

static double ratio(uint64_t part, uint64_t whole) { return whole ? (double)part / (double)whole : 1; }

double track_score_f1(const struct track_score *score) { return ratio(2 * score->right, score->said + score->wanted); }

double track_score_precision(const struct track_score *score) { return ratio(score->right, score->said); }

double track_score_recall(const struct track_score *score) { return ratio(score->right, score->wanted); }

double track_score_retention(const struct track_score *score)
{
    return ratio(score->kept, score->kept + score->changed);
}
