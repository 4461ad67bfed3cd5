/* Which pictures are analysed again, which of those first, and when there is room for one. Pure; any thread. */
#ifndef ITSI_QUALITY_DEBT_CHOICE_H
#define ITSI_QUALITY_DEBT_CHOICE_H

#include "quality/controller.h"

/* Is the camera's n-th result (0, 1, ...) one of the sample? The results are cut into blocks, the k-th from floor(k / share)
 * on, and one of each block is: of the first n never fewer or more than n * share by one or above, whatever the share. Its
 * place in the block is drawn from the camera and k: one at equal distances would beat with the interval of detection, and see
 * none but detected or none but tracked pictures. The same arguments always give the same answer. share: 1e-9..1; 0: none is. */
bool itsi_debt_samples(uint32_t camera, uint64_t n, double share);

/* The engine time, ns, that a run may take now without harm to live frames, 0: none. There is room while nothing says
 * overload, processors and engine are not full, and a frame that had to wait for such a run would still keep the reserve
 * that the policy asks for. */
int64_t itsi_debt_room(const struct itsi_quality_policy *policy, const struct itsi_quality_status *status);

/* A place of the few where pictures wait to be analysed again. */
struct itsi_debt_place {
    uint64_t key;   /* of the camera; one picture of each at most */
    double known;   /* pictures its estimate rests on already */
    bool taken;
};
/* Where a camera's newest picture goes: its own place, else a free one, else that of the camera that is known best, if it is
 * known better than this one. -1: it is not kept. */
int itsi_debt_place_for(const struct itsi_debt_place *places, int count, uint64_t key, double known);
/* Whose turn it is: the camera that is known least. -1: none waits. */
int itsi_debt_next(const struct itsi_debt_place *places, int count);

#endif
