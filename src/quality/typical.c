#include "quality/typical.h"

struct mean {
    double sum;
    int count;
};

static void add(struct mean *mean, double value)
{
    mean->sum += value;
    mean->count++;
}

static double of(const struct mean *mean) { return mean->count > 0 ? mean->sum / mean->count : 0; }

void itsi_quality_typical_make(const struct itsi_quality_fleet *fleet, struct itsi_quality_typical *out)
{
    struct mean pixels = {0}, key_fps = {0}, droppable = {0}, decode[ITSI_DECODE_MODES] = {{0}};
    for (int i = 0; i < fleet->count; i++) {
        const struct itsi_quality_member *member = &fleet->members[i];
        const struct itsi_quality_camera *camera = member->camera;
        const double area = (double)camera->width * camera->height;
        if (area <= 0)
            continue;
        add(&pixels, area);
        add(&droppable, camera->droppable);
        if (camera->key_fps > 0 && !camera->irregular_keys)
            add(&key_fps, camera->key_fps);
        for (int mode = 0; mode < ITSI_DECODE_MODES; mode++)
            if (member->learned.decode[0][mode] > 0)
                add(&decode[mode], member->learned.decode[0][mode] / area);
    }
    *out = (struct itsi_quality_typical){.pixels = of(&pixels), .droppable = of(&droppable)};
    if (2 * key_fps.count > pixels.count)
        out->key_fps = of(&key_fps);
    for (int mode = 0; mode < ITSI_DECODE_MODES; mode++)
        out->decode[mode] = of(&decode[mode]);
}
