#include "quality/typical.h"

#include "base/clock.h"

/* What is expected before anything was seen. Decoding took 0.7 to 2.9 ns a pixel for seven clips (H.264 and HEVC, 288 to 1080
 * lines; FFmpeg 5.1, one thread of an EPYC), their median 1.5, and what brings a stream here comes on top. */
#define DECODE_S_PER_PIXEL 2e-9
/* What most cameras are set to, and without which none could be served on little. */
#define KEY_FPS 1.0
/* One that has not told of a second key frame by then has none that could be relied on. */
#define KEYS_SHOW_NS (3 * ITSI_NS_PER_S)
/* What is expected counts like so many cameras that were seen. */
#define EXPECTED_CAMERAS 2

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

struct means {
    struct mean pixels, key_fps, droppable, decode[ITSI_DECODE_MODES];
};

static void add_member(struct means *means, const struct itsi_quality_fleet *fleet, const struct itsi_quality_member *member)
{
    const struct itsi_quality_camera *camera = member->camera;
    const double area = (double)camera->width * camera->height;
    if (area <= 0 || camera->undecoded)
        return;
    add(&means->pixels, area);
    add(&means->droppable, camera->droppable);
    if (camera->key_fps > 0 && !camera->irregular_keys)
        add(&means->key_fps, camera->key_fps);
    else if (camera->key_fps <= 0 && fleet->time - member->came < KEYS_SHOW_NS)
        add(&means->key_fps, KEY_FPS);
    for (int mode = 0; mode < ITSI_DECODE_MODES; mode++)
        if (member->learned.decode[0][mode] > 0)
            add(&means->decode[mode], member->learned.decode[0][mode] / area);
}

/* Ways of decoding that nobody was seen in are told from those that somebody was; what is expected goes as they come. */
static void tell_decoding(const struct means *means, double decode[ITSI_DECODE_MODES])
{
    int seen = 0;
    for (int mode = 0; mode < ITSI_DECODE_MODES; mode++) {
        decode[mode] = of(&means->decode[mode]);
        seen += means->decode[mode].count;
    }
    struct mean whole = means->decode[ITSI_DECODE_ALL];
    if (seen > 0 && whole.count == 0)
        return;
    for (int i = 0; i < EXPECTED_CAMERAS; i++)
        add(&whole, DECODE_S_PER_PIXEL);
    decode[ITSI_DECODE_ALL] = of(&whole);
}

void itsi_quality_typical_make(const struct itsi_quality_fleet *fleet, struct itsi_quality_typical *out)
{
    struct means means = {.pixels = {0, 0}};
    for (int i = 0; i < fleet->count; i++)
        add_member(&means, fleet, &fleet->members[i]);
    *out = (struct itsi_quality_typical){.pixels = of(&means.pixels), .droppable = of(&means.droppable)};
    if (means.pixels.count == 0)
        out->key_fps = KEY_FPS;
    else if (2 * means.key_fps.count > means.pixels.count)
        out->key_fps = of(&means.key_fps);
    tell_decoding(&means, out->decode);
}
