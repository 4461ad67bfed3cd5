/* The synthetic road: a rendered traffic scene of our own with ground truth, for tests, demos, benchmarks and training.
 *
 * A scene is a pure function of its parameters: the same parameters give the same pixels and boxes on every machine.
 * Frames may be asked for in any order. */
#ifndef ITSI_RENDER_ROAD_H
#define ITSI_RENDER_ROAD_H

#include "its/error.h"

#include <stdbool.h>
#include <stdint.h>

/* The classes of the project's own detector, in its order. X(NAME, "text") */
#define ITSI_ROAD_CLASS_MAP(X)                                                                                         \
    X(CAR, "car")                                                                                                      \
    X(TRUCK, "truck")                                                                                                  \
    X(BUS, "bus")                                                                                                      \
    X(MOTORCYCLE, "motorcycle")                                                                                        \
    X(BICYCLE, "bicycle")                                                                                              \
    X(PERSON, "person")

enum itsi_road_class {
#define ITSI_X(name, text) ITSI_ROAD_##name,
    ITSI_ROAD_CLASS_MAP(ITSI_X)
#undef ITSI_X
        ITSI_ROAD_CLASS_COUNT
};
const char *itsi_road_class_name(enum itsi_road_class cls);

/* X(NAME, "text") */
#define ITSI_ROAD_SCENE_MAP(X)                                                                                         \
    X(CROSSROADS, "crossroads")                                                                                        \
    X(MOTORWAY, "motorway")                                                                                            \
    X(STREET, "street")                                                                                                \
    X(PLAZA, "plaza")                                                                                                  \
    X(TUNNEL, "tunnel")                                                                                                \
    X(CARPARK, "carpark")

enum itsi_road_scene {
#define ITSI_X(name, text) ITSI_SCENE_##name,
    ITSI_ROAD_SCENE_MAP(ITSI_X)
#undef ITSI_X
        ITSI_SCENE_COUNT
};
/* -1: no scene of that name. */
int itsi_road_scene_find(const char *name);

enum itsi_road_weather { ITSI_WEATHER_CLEAR, ITSI_WEATHER_CLOUDY, ITSI_WEATHER_RAIN, ITSI_WEATHER_FOG };
enum itsi_road_light { ITSI_LIGHT_DAY, ITSI_LIGHT_DUSK, ITSI_LIGHT_NIGHT, ITSI_LIGHT_GLARE };
enum itsi_road_view {
    ITSI_VIEW_USUAL,    /* the scene's own: a bridge or a pole of ordinary height */
    ITSI_VIEW_MAST,     /* a webcam 12 to 30 m up that looks along the road */
    ITSI_VIEW_TELE,     /* a narrow field (8 to 25 degrees), far down the road */
    ITSI_VIEW_OVERHEAD, /* steeply down from a bridge or a tall building, also across the road */
    ITSI_VIEW_CLOSE,    /* an enforcement camera: few vehicles, large */
    ITSI_VIEW_KERB,     /* a low pole at the roadside */
    ITSI_VIEW_ANY       /* one of these, by the seed */
};

struct itsi_road_params {
    char scene[32];    /* a text of ITSI_ROAD_SCENE_MAP */
    int width, height; /* 64..4096, even */
    double fps;        /* 1..120 */
    uint64_t seed;     /* viewpoint, traffic, textures */
    enum itsi_road_weather weather;
    enum itsi_road_light light;
    enum itsi_road_view view; /* where the camera hangs (default usual) */
    double traffic;           /* density: 1 = ordinary, 0 = empty road */
    double mix;               /* of classes: 0 = as on the road, 1 = every vehicle as frequent as cars */
    double shake;             /* camera shake: 1 = ordinary pole, 0 = none */
    double noise;             /* sensor noise: 1 = ordinary */
    bool timecode;            /* burn the frame number into the picture (default true) */
};

void itsi_road_params_default(struct itsi_road_params *params);
/* Reads the query parameters of "synth://SCENE?size=WxH&fps=..&seed=..&weather=..&light=..&view=..&traffic=..&mix=..&shake=..
 * &noise=..&timecode=0". Keys that belong to the player (seconds, pace, loop) are left alone; others are ITS_EINVAL and
 * named with the allowed values. */
ITS_NODISCARD int itsi_road_params_parse(struct itsi_road_params *params, const char *url, struct its_diag *diag);

/* Truth for one object in one picture. */
struct itsi_road_box {
    float x1, y1, x2, y2; /* visible extent clipped to the picture, pixels */
    int32_t cls;          /* enum itsi_road_class */
    int32_t id;           /* the same object over frames */
    float visible;        /* share of its area not hidden by others or the edge, 0..1 */
};
#define ITSI_ROAD_MAX_BOXES 256
/* Pixels. Smaller than any detector is asked for: what is listed can be ignored where a picture is scaled up, what is not
 * would count as background. */
#define ITSI_ROAD_SMALLEST 2

struct itsi_road;
ITS_NODISCARD int itsi_road_create(struct itsi_road **out, const struct itsi_road_params *params,
                                   struct its_diag *diag);
void itsi_road_destroy(struct itsi_road *road);

/* I420, limited range BT.601, caller's memory: y is width x height, u and v half of it each way. Writes the boxes with
 * visible > 0.1 that are at least ITSI_ROAD_SMALLEST wide and high and not lost in fog, and returns their number (at most
 * ITSI_ROAD_MAX_BOXES). One road is used by one thread at a time. */
int itsi_road_render(struct itsi_road *road, int64_t index, uint8_t *const plane[3], const int stride[3],
                     struct itsi_road_box boxes[ITSI_ROAD_MAX_BOXES]);

/* The time code: frame number 0..2^32-1 with a checksum as black and white cells along the top left edge, large enough to
 * survive H.264 at traffic-camera bit rates and scaling down to half. Reading works on a luma plane. */
void itsi_timecode_write(uint8_t *luma, int stride, int width, int height, uint32_t number);
/* 1: read; 0: no valid code in the picture. */
int itsi_timecode_read(const uint8_t *luma, int stride, int width, int height, uint32_t *number);

#endif
