/* What a scene consists of: its roads and lanes (scene_*.c, view.c), its ground (ground.c, surface.c), what stands about
 * (scenery_*.c), all that painted once (background.c), and its traffic (traffic.c). */
#ifndef ITSI_RENDER_SCENE_H
#define ITSI_RENDER_SCENE_H

#include "render/draw.h"

enum itsi_surface { ITSI_GRASS, ITSI_ASPHALT, ITSI_COLOURED, ITSI_PAVEMENT, ITSI_GRAVEL, ITSI_CONCRETE };

/* How the ground of a scene looks (surface.c). Amounts are changes in brightness, shares or, at 0, absence. */
enum { ITSI_MAX_TRACKS = 16 };
struct itsi_wear {
    struct itsi_rgb asphalt, coloured, pavement, grass, gravel;
    float grain, blotch, streak, oil, track, crack, tar, stain; /* of the carriageway */
    float patch, cover;                                         /* share of places with a patch, a manhole */
    float slab;                                                 /* metres between the joints of concrete */
    float tile_x, tile_y, joint, checker;                       /* of the pavement */
    float tuft;
    float paint, paint_wear;
    float leaves, snow;
    float clouds; /* how dark the shadows of clouds are */
    float lane[ITSI_MAX_TRACKS]; /* middles of the lanes along the road */
    int lanes;
};

struct itsi_strip {
    float x0, x1;
    enum itsi_surface surface;
};
struct itsi_line {
    float x, width;
    float dash, gap; /* metres; gap 0: continuous */
    bool yellow;
    float y0, y1; /* from where to where */
};
/* Painted rectangle; stripes > 0: a zebra with bars of that width along y (or x when `across`). */
struct itsi_mark {
    float x0, y0, x1, y1;
    float stripe, period; /* of the bars; period 0: twice the stripe */
    bool across, yellow;
    float slant;          /* metres that the bars shift along x per metre of y: hatching */
    int arrow; /* 0: none, 1 straight, 2 left, 3 right; pointing to +y, or -y when negative */
};
/* One road: its cross-section. The second of a crossing runs along x (x and y exchanged). */
struct itsi_section {
    struct itsi_strip strip[16];
    struct itsi_line line[24];
    int strip_count, line_count;
    float left, right; /* edges of the carriageway */
};

enum { ITSI_MAX_LANES = 64, ITSI_MAX_MARKS = 48 };

struct itsi_path {
    float x, y, dx, dy; /* start and direction */
    float straight;     /* metres before the turn */
    float radius;       /* of a quarter turn: > 0 left, < 0 right, 0: none */
    float length;       /* whole */
};

struct itsi_lane {
    struct itsi_path path[2];
    int paths;
    float speed;   /* m/s */
    float spacing; /* free lanes: metres per slot */
    float fill;    /* share of slots taken at traffic = 1 */
    float weight[ITSI_ROAD_CLASS_COUNT];
    float sway;  /* lateral spread, metres */
    float slant; /* parked cars: -1..1 quarter turns from the lane's direction */
    bool signal; /* stops at `stop` while red; parked cars keep off it */
    float stop, headway;
    double period, green, offset; /* s: cycle, length of green at its end, shift */
    int change_to;                /* lane that cars may change into; -1: none */
    float max_length;             /* longer vehicles are not used here */
};

struct itsi_scene {
    enum itsi_road_scene kind;
    struct itsi_wear wear;
    struct itsi_camera cam;
    float bend; /* x shifts by bend * y^2 / 2 */
    struct itsi_section road, cross;
    float cross_y; /* middle of the crossing road */
    bool has_cross;
    struct itsi_mark mark[ITSI_MAX_MARKS];
    int mark_count;
    struct itsi_lane lane[ITSI_MAX_LANES];
    int lane_count;
    bool dark;          /* windows are lit */
    float median, walk; /* half the median's width; width of a pavement */
    float portal; /* where the road goes into a tunnel; 0: nowhere */
    float far; /* how far along the road things are drawn */
    int style; /* of the surroundings */
    uint64_t seed;
};

void itsi_scene_init(struct itsi_scene *scene, const struct itsi_road_params *params);
void itsi_scene_motorway(struct itsi_scene *scene, uint64_t seed);
void itsi_scene_street(struct itsi_scene *scene, uint64_t seed);
void itsi_scene_crossroads(struct itsi_scene *scene, uint64_t seed);
void itsi_scene_plaza(struct itsi_scene *scene, uint64_t seed);
void itsi_scene_tunnel(struct itsi_scene *scene, uint64_t seed);
void itsi_scene_carpark(struct itsi_scene *scene, uint64_t seed);
void itsi_strip_add(struct itsi_section *s, float x0, float x1, enum itsi_surface surface);
void itsi_line_add(struct itsi_section *s, float x, float width, float dash, float gap, bool yellow);
struct itsi_mark *itsi_mark_add(struct itsi_scene *s, float x0, float y0, float x1, float y1, float stripe, bool across,
                                int arrow);
struct itsi_lane *itsi_lane_add(struct itsi_scene *s, float x, float y, float dx, float dy, float length, float speed);
/* Who uses the lane, in shares of each class. */
void itsi_lane_mix(struct itsi_lane *lane, float car, float truck, float bus, float moto, float bike, float person);
void itsi_lane_city(struct itsi_lane *lane, uint64_t h);
/* A lane's traffic light: green for the last `green` seconds of each period. */
struct itsi_signal {
    double period, green, offset;
};
void itsi_lane_obey(struct itsi_lane *lane, const struct itsi_signal *sig, float stop, float headway);
/* Persons both ways along the road around x. */
void itsi_lane_walkers(struct itsi_scene *s, uint64_t h, float x, float y0, float length);
/* Persons over a zebra: they wait at the kerb while the traffic has green. */
void itsi_lane_zebra(struct itsi_scene *s, float half, float beyond, float at, bool along_y, float centre,
                     const struct itsi_signal *sig);
/* A carriageway of asphalt between two pavements. */
void itsi_section_paved(struct itsi_section *sec, float half, float walk);
/* Hangs the camera of a finished scene elsewhere; ITSI_VIEW_USUAL leaves it where the scene put it. */
void itsi_view_aim(struct itsi_scene *scene, enum itsi_road_view view, int width, int height);
/* Camera at `pos` looking at `at`; hfov in degrees, roll in radians. */
void itsi_camera_aim(struct itsi_camera *cam, struct itsi_vec3 pos, struct itsi_vec3 at, float hfov, float roll,
                     int width, int height);
/* The same by what it sees across: `across` metres at the distance of `at`. */
void itsi_camera_frame(struct itsi_camera *cam, struct itsi_vec3 pos, struct itsi_vec3 at, float across, float roll,
                       int width, int height);
void itsi_wear_pick(struct itsi_scene *scene);
/* Share of the pixel [at - fp/2, at + fp/2] that lies in [lo, hi]; the same for dashes of length `dash` each period. */
float itsi_overlap(float lo, float hi, float at, float fp);
float itsi_dashes(float dash, float period, float at, float fp);
struct itsi_rgb itsi_surface(const struct itsi_scene *s, enum itsi_surface kind, float x, float y, float fx, float fy);
/* Leaves and snow over it; off: metres beyond the carriageway's edge. */
struct itsi_rgb itsi_litter(const struct itsi_scene *s, struct itsi_rgb c, float x, float y, float fp, float off);
/* Colour of what a ray meets where nothing stands: ground, far trees, sky. dx, dy: metres a pixel covers there. */
struct itsi_rgb itsi_ground(const struct itsi_scene *scene, const struct itsi_air *air, float x, float y, float fx,
                            float fy);
struct itsi_rgb itsi_backdrop(const struct itsi_scene *scene, const struct itsi_air *air, struct itsi_vec3 dir);

/* Things that stand around: adds meshes to the picture through the callback, one at a time. */
typedef int itsi_scenery_sink(void *arg, const struct itsi_actor *actor);
ITS_NODISCARD int itsi_scenery(const struct itsi_scene *scene, itsi_scenery_sink *sink, void *arg);

/* Ground, sky and all that stands, painted once (background.c). */
struct itsi_back {
    struct itsi_picture pic; /* larger than the road's pictures by the margin on each side */
    int margin;              /* pixels, even */
    float *depth;            /* 1 / depth of what stands in the scene, per pixel; 0: ground and sky */
    uint8_t *shade;          /* how much of the sun is missing on the ground there, 0..255 */
};
ITS_NODISCARD int itsi_back_build(struct itsi_back *back, const struct itsi_scene *scene, const struct itsi_air *air,
                                  int width, int height);
void itsi_back_fini(struct itsi_back *back);
/* The share of the sun, 0..1, that an actor standing among the scenery's shadows gets. */
float itsi_back_sun(const struct itsi_back *back, const struct itsi_camera *cam, const struct itsi_actor *actor);
/* Fills the picture with the background moved right and down by sx, sy (1/16 pixel, less than the margin). */
void itsi_back_copy(const struct itsi_back *back, struct itsi_picture *pic, int sx, int sy);

enum { ITSI_MAX_ACTORS = 512 };
/* Who is where at time t (seconds). Returns how many. */
int itsi_traffic(const struct itsi_scene *scene, const struct itsi_models *models, double density, double t,
                 struct itsi_actor *actors, int cap);
void itsi_path_at(const struct itsi_scene *scene, const struct itsi_path *path, float s, float aside,
                  struct itsi_vec3 *pos, float *dx, float *dy);
/* How far a vehicle is along its lane when it would pass the stop line freely at `arrive` and does so at `depart`;
 * `queue` is where it waits, relative to the stop line (<= 0). *braking: it slows down or stands. */
double itsi_stop_and_go(double t, double arrive, double depart, double queue, double speed, bool *braking);

/* The part of the picture that the time code covers, pixels (timecode.c). */
void itsi_timecode_size(int width, int height, int *w, int *h);

#endif
