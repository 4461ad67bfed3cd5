/* Private to render/: what the files of the synthetic road share.
 *
 * World: metres, x to the right of the road, y along it, z up, ground at z = 0. Models: +y forward, origin on the
 * ground below the middle. Pixels must be the same on every machine, so everything that reaches a pixel is computed
 * with
 * + - * / sqrt, comparisons and integers only (sines, exponentials and random numbers are our own, below and in
 * scene_math.c), and the room is compiled without contraction to fused multiply-add. */
#ifndef ITSI_RENDER_IMPL_H
#define ITSI_RENDER_IMPL_H

#include "render/road.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- numbers (scene_math.c) ------------------------------------------------------------------------------------ */

struct itsi_vec3 {
    float x, y, z;
};
struct itsi_rgb {
    float r, g, b; /* as shown on a screen, 0..1 */
};

static inline struct itsi_vec3 itsi_vec3(float x, float y, float z) { return (struct itsi_vec3){x, y, z}; }
static inline struct itsi_rgb itsi_rgb(float r, float g, float b) { return (struct itsi_rgb){r, g, b}; }
static inline float itsi_dot(struct itsi_vec3 a, struct itsi_vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
static inline struct itsi_vec3 itsi_sub(struct itsi_vec3 a, struct itsi_vec3 b)
{
    return itsi_vec3(a.x - b.x, a.y - b.y, a.z - b.z);
}
static inline struct itsi_vec3 itsi_cross(struct itsi_vec3 a, struct itsi_vec3 b)
{
    return itsi_vec3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}
static inline float itsi_clampf(float v, float lo, float hi) { return v < lo ? lo : v > hi ? hi : v; }
static inline float itsi_minf(float a, float b) { return a < b ? a : b; }
static inline float itsi_maxf(float a, float b) { return a > b ? a : b; }
static inline float itsi_mixf(float a, float b, float t) { return a + (b - a) * t; }
static inline struct itsi_rgb itsi_mix(struct itsi_rgb a, struct itsi_rgb b, float t)
{
    return itsi_rgb(itsi_mixf(a.r, b.r, t), itsi_mixf(a.g, b.g, t), itsi_mixf(a.b, b.b, t));
}
static inline struct itsi_rgb itsi_scale(struct itsi_rgb a, float s) { return itsi_rgb(a.r * s, a.g * s, a.b * s); }

struct itsi_vec3 itsi_unit(struct itsi_vec3 v);
double itsi_sine(double radians);
double itsi_cosine(double radians);
float itsi_decay(float x); /* e^-x for x >= 0 */

/* A hash of two numbers, and the numbers drawn from it: the world's state is a function of (seed, what, index). */
uint64_t itsi_hash(uint64_t a, uint64_t b);
float itsi_hash_unit(uint64_t a, uint64_t b); /* [0, 1) */
float itsi_hash_range(uint64_t a, uint64_t b, float lo, float hi);
int itsi_hash_below(uint64_t a, uint64_t b, int bound);
/* Smooth noise over the plane, 0..1, and three octaves of it. */
float itsi_noise2(uint64_t seed, float x, float y);
float itsi_noise_fractal(uint64_t seed, float x, float y);

/* ---- meshes (mesh.c, model_*.c) ---------------------------------------------------------------------------------- */

/* What a face is made of; the colour comes from the actor's palette. */
enum itsi_material {
    ITSI_MAT_BODY,   /* paint: reflects the sky */
    ITSI_MAT_BODY2,  /* second paint: stripe, bumper, box of a truck */
    ITSI_MAT_CARGO,  /* load, tarpaulin: matt */
    ITSI_MAT_ACCENT, /* lettering, logos */
    ITSI_MAT_GLASS,
    ITSI_MAT_TRIM, /* black plastic */
    ITSI_MAT_METAL,
    ITSI_MAT_TYRE,
    ITSI_MAT_UNDER, /* always dark */
    ITSI_MAT_HEAD,  /* head lamp */
    ITSI_MAT_TAIL,
    ITSI_MAT_BRAKE, /* third brake lamp: lit only when braking */
    ITSI_MAT_SIGN,  /* lit destination panel */
    ITSI_MAT_PLATE,
    ITSI_MAT_SKIN,
    ITSI_MAT_HAIR,
    ITSI_MAT_CLOTH1,
    ITSI_MAT_CLOTH2,
    ITSI_MAT_SCREEN, /* windscreen: clearer than the other panes */
    ITSI_MAT_SEAT,   /* what is seen through it: its mirror image lies over that too */
    ITSI_MAT_ROOF,   /* paint of a roof: the body's, black or another */
    ITSI_MAT_LOWER,  /* bumpers and sills: painted or plain plastic */
    ITSI_MAT_RIM,    /* wheels */
    ITSI_MAT_BLUE,   /* the light bar of those who are let through */
    ITSI_MAT_COUNT
};

/* Parts that move against the body, and leaves, which are seen from both sides. */
enum itsi_limb {
    ITSI_LIMB_NONE,
    ITSI_LIMB_LEG, /* right; left is the next */
    ITSI_LIMB_ARM = 3,
    ITSI_LIMB_LAST_ARM,
    ITSI_LIMB_LEAF
};

struct itsi_face {
    uint16_t v[3], n[3];
    uint8_t mat;
    uint8_t detail; /* 0: always drawn, else only when a metre is at least 8 * detail samples */
    uint8_t limb;   /* enum itsi_limb */
    uint8_t bias;   /* drawn over what lies within this many centimetres */
};

struct itsi_mesh {
    struct itsi_vec3 *pos, *nrm;
    struct itsi_face *face;
    int pos_count, pos_cap, nrm_count, nrm_cap, face_count, face_cap;
    bool failed; /* ran out of memory while being built */
    /* while building: what the next faces are */
    uint8_t detail, limb, bias;
    /* finished: */
    float length, width, height;
    struct itsi_vec3 lamp_head[2], lamp_tail[2]; /* places of the lamps; z = 0: none */
};

void itsi_mesh_fini(struct itsi_mesh *m);
int itsi_mesh_vertex(struct itsi_mesh *m, struct itsi_vec3 p);
/* Corners counter-clockwise seen from outside. */
void itsi_mesh_tri(struct itsi_mesh *m, struct itsi_vec3 a, struct itsi_vec3 b, struct itsi_vec3 c, int mat);
void itsi_mesh_quad(struct itsi_mesh *m, struct itsi_vec3 a, struct itsi_vec3 b, struct itsi_vec3 c, struct itsi_vec3 d,
                    int mat);
/* An axis-aligned box; mats for the faces: -x +x -y +y -z +z, negative: left out. */
void itsi_mesh_box(struct itsi_mesh *m, struct itsi_vec3 lo, struct itsi_vec3 hi, const int mats[6]);
void itsi_mesh_solid(struct itsi_mesh *m, struct itsi_vec3 lo, struct itsi_vec3 hi, int mat);
/* A thin rectangle on a vertical plane: y = at, seen from +y (facing > 0) or -y. */
void itsi_mesh_panel_y(struct itsi_mesh *m, float at, int facing, float x0, float x1, float z0, float z1, int mat);
/* The same on both sides x = +-at, seen from outside. */
void itsi_mesh_panel_x(struct itsi_mesh *m, float at, float y0, float y1, float z0, float z1, int mat);
/* A grid of `rings` cross-sections of `points` points each with smooth normals; mats[(rings-1)*(points-1)] by cell,
 * negative: hole. Rings run from front (+y) to rear, points from the right bottom over the top to the left bottom.
 * Edges sharper than about 65 degrees and those of panes stay sharp. */
void itsi_mesh_loft(struct itsi_mesh *m, const struct itsi_vec3 *grid, int rings, int points, const int8_t *mats);
/* Closes a ring with a flat face looking to +y (facing > 0) or -y. */
void itsi_mesh_cap(struct itsi_mesh *m, const struct itsi_vec3 *ring, int points, int facing, int mat);
/* A tube from a to b with radii; sides >= 3; smooth. Closed at the ends when `caps`. */
void itsi_mesh_tube(struct itsi_mesh *m, struct itsi_vec3 a, struct itsi_vec3 b, float ra, float rb, int sides, int mat,
                    bool caps);
void itsi_mesh_ball(struct itsi_mesh *m, struct itsi_vec3 c, float rx, float ry, float rz, int mat);
/* A flat disc on the plane x, seen from outside (the side of x's sign). */
void itsi_mesh_disc_x(struct itsi_mesh *m, float x, float y, float z, float r, int sides, int mat);
/* A road wheel with its axle along x, outer side at x. rim: 0 a lorry's, 1 five spokes, 2 many, 3 a cap. */
void itsi_mesh_wheel(struct itsi_mesh *m, float x, float y, float r, float w, int rim);
/* Bounds into length, width, height. */
void itsi_mesh_finish(struct itsi_mesh *m);
/* The same, but as wide and long as given: mirrors and umbrellas throw no shadow below a body. */
void itsi_mesh_finish_as(struct itsi_mesh *m, float length, float width);

enum {
    ITSI_CAR_MODELS = 28,
    ITSI_TRUCK_MODELS = 23,
    ITSI_BUS_MODELS = 10,
    ITSI_MOTO_MODELS = 6,
    ITSI_BIKE_MODELS = 4,
    ITSI_PERSON_MODELS = 12,
    ITSI_RIDER_MODELS = 2
};
enum {
    ITSI_FIRST_CAR = 0,
    ITSI_FIRST_TRUCK = ITSI_FIRST_CAR + ITSI_CAR_MODELS,
    ITSI_FIRST_BUS = ITSI_FIRST_TRUCK + ITSI_TRUCK_MODELS,
    ITSI_FIRST_MOTO = ITSI_FIRST_BUS + ITSI_BUS_MODELS,
    ITSI_FIRST_BIKE = ITSI_FIRST_MOTO + ITSI_MOTO_MODELS,
    ITSI_FIRST_PERSON = ITSI_FIRST_BIKE + ITSI_BIKE_MODELS,
    ITSI_FIRST_RIDER = ITSI_FIRST_PERSON + ITSI_PERSON_MODELS, /* of a motorcycle, of a bicycle */
    ITSI_MODELS = ITSI_FIRST_RIDER + ITSI_RIDER_MODELS
};
struct itsi_models {
    struct itsi_mesh mesh[ITSI_MODELS];
};
void itsi_model_cars(struct itsi_models *models, uint64_t seed);
void itsi_model_trucks(struct itsi_models *models, uint64_t seed);
void itsi_model_buses(struct itsi_models *models, uint64_t seed);
void itsi_model_people(struct itsi_models *models);

/* ---- camera and raster (raster.c, shade.c) ----------------------------------------------------------------------- */

struct itsi_camera {
    struct itsi_vec3 pos, right, up, forward;
    float focal;  /* samples */
    float cx, cy; /* samples: where the optical axis meets the picture; shake moves it */
};

enum { ITSI_SS = 2, ITSI_BAND = 16 }; /* samples per pixel each way; pixel rows per band */

struct itsi_tri {
    float x[3], y[3];         /* samples, by rising y */
    float w, wx, wy;          /* 1 / depth at corner 0, and per sample */
    float c[3], cx[3], cy[3]; /* Y U V at corner 0 (0..255), and per sample */
};

/* Everything drawn for one owner. */
struct itsi_draw {
    int first, count;     /* triangles */
    float x0, y0, x1, y1; /* samples, unclipped */
    double area;          /* of all triangles, samples, unclipped */
};

/* A list of triangles of fixed capacity: what does not fit is left out. */
struct itsi_list {
    struct itsi_tri *tri;
    int count, cap;
    struct itsi_vertex {
        struct itsi_vec3 world, cam; /* cam: right, up, forward */
    } * vertex;                      /* scratch for one mesh; meshes with more vertices are left out */
    int vertex_cap;
};

/* One horizontal band of the picture at sample resolution. */
struct itsi_raster {
    int width, height;                                      /* samples, whole picture */
    float *depth;                                           /* 1 / depth; 0: nothing */
    uint32_t *colour;                                       /* Y | U << 8 | V << 16 */
    uint16_t *owner;                                        /* 1 + index of the draw; 0: nothing */
    uint16_t *stamp;                                        /* last draw that covered the sample, visible or not */
    uint8_t *shadow;                                        /* how much of the ground's light is missing, 0..255 */
    int from[ITSI_BAND * ITSI_SS], to[ITSI_BAND * ITSI_SS]; /* touched part of each row */
};

/* Counted per owner over a picture. */
struct itsi_tally {
    int64_t drawn;   /* samples of all its triangles inside the picture, hidden or not */
    int64_t covered; /* samples it covers inside the picture */
    int64_t visible;
    int x0, y0, x1, y1; /* samples, inclusive */
};

ITS_NODISCARD int itsi_raster_init(struct itsi_raster *r, int width_px, int height_px);
void itsi_raster_fini(struct itsi_raster *r);
void itsi_raster_clear(struct itsi_raster *r);
/* Draws the part of the triangle that lies in the band whose first sample row is `top`. */
void itsi_raster_tri(struct itsi_raster *r, const struct itsi_tri *t, int top, uint16_t owner,
                     struct itsi_tally *tally);
void itsi_raster_shadow(struct itsi_raster *r, const struct itsi_tri *t, int top);

struct itsi_picture {
    uint8_t *plane[3];
    int stride[3];
    int width, height;
};
/* ---- a band over the picture (compose.c) ---- */

/* Draws those of the lists' triangles that reach into the band. */
void itsi_band_draw(struct itsi_raster *r, const struct itsi_list *list, const struct itsi_draw *draw, int count,
                    int top, struct itsi_tally *tally);
/* Hides samples that lie behind what stands in the scene (`depth` per pixel; NULL: none) or under the time code. */
void itsi_band_hide(struct itsi_raster *r, int top, const float *depth, int stride, int code_w, int code_h);
void itsi_band_count(const struct itsi_raster *r, int top, struct itsi_tally *tally);
/* Blends the band into the picture, which holds the background. */
void itsi_band_lay(const struct itsi_raster *r, int top, struct itsi_picture *pic);

/* The sun, the sky and the air. */
struct itsi_air {
    struct itsi_vec3 sun; /* towards it */
    struct itsi_rgb sun_light, zenith, horizon, bounce, fog;
    float fog_per_m;
    float shadow;  /* 0: none .. 1: hard and dark */
    float ambient; /* extra flat light */
    bool night;
    bool lamps; /* vehicles have their lamps on */
    float lamp_glow;
    bool wet;
    float pool_every, pool_base; /* at night: metres between lamps, light between their pools */
    /* the camera's rendering of all this */
    float exposure, lift, saturation, warmth;
};

void itsi_air_init(struct itsi_air *air, const struct itsi_road_params *params);
struct itsi_rgb itsi_air_sky(const struct itsi_air *air, struct itsi_vec3 direction);
struct itsi_rgb itsi_air_veil(const struct itsi_air *air, struct itsi_rgb colour, float distance);
/* Screen RGB to limited-range BT.601. */
void itsi_to_yuv(const struct itsi_air *air, struct itsi_rgb colour, float yuv[3]);

/* Makes room in the scratch for meshes of that many vertices. */
ITS_NODISCARD int itsi_list_vertices(struct itsi_list *list, int count);

struct itsi_actor {
    const struct itsi_mesh *mesh;
    struct itsi_rgb palette[ITSI_MAT_COUNT];
    struct itsi_vec3 pos;
    float cos_yaw, sin_yaw; /* forward is (-sin, cos) */
    float sx, sy, sz;       /* scale of the mesh */
    float swing;            /* -1..1: the step of a walker */
    float distance;         /* from the camera */
    float speed;
    int32_t cls, id;
    bool braking;
    bool lit;   /* lamps on when it is dark */
};

/* Colour of the actor's material at a point with that normal, seen from the direction of the eye (finish.c). */
struct itsi_rgb itsi_finish(const struct itsi_air *air, const struct itsi_actor *actor, int mat, struct itsi_vec3 n,
                            struct itsi_vec3 p, struct itsi_vec3 eye);
/* Adds the actor's triangles as seen by the camera. */
void itsi_draw_actor(struct itsi_list *list, struct itsi_draw *draw, const struct itsi_camera *cam,
                     const struct itsi_air *air, const struct itsi_actor *actor);
/* Adds its shadow on the ground (own list). */
void itsi_draw_shadow(struct itsi_list *list, const struct itsi_camera *cam, const struct itsi_air *air,
                      const struct itsi_actor *actor);
/* The same by every face of something that stands, exactly (cast.c); the list has room for two triangles per face. */
void itsi_cast_faces(struct itsi_list *list, const struct itsi_camera *cam, const struct itsi_air *air,
                     const struct itsi_actor *actor);
bool itsi_project(const struct itsi_camera *cam, struct itsi_vec3 p, float *x, float *y, float *depth);

/* ---- scene (scene.c, scene_*.c, view.c, ground.c, scenery.c) ----------------------------------------------------- */

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

/* ---- traffic (traffic.c) ------------------------------------------------------------------------------------------
 */

enum { ITSI_MAX_ACTORS = 512 };
/* Who is where at time t (seconds). Returns how many. */
int itsi_traffic(const struct itsi_scene *scene, const struct itsi_models *models, double density, double t,
                 struct itsi_actor *actors, int cap);
void itsi_path_at(const struct itsi_scene *scene, const struct itsi_path *path, float s, float aside,
                  struct itsi_vec3 *pos, float *dx, float *dy);
/* How far a vehicle is along its lane when it would pass the stop line freely at `arrive` and does so at `depart`;
 * `queue` is where it waits, relative to the stop line (<= 0). *braking: it slows down or stands. */
double itsi_stop_and_go(double t, double arrive, double depart, double queue, double speed, bool *braking);
/* Colours for an actor of its class (palette.c). */
void itsi_palette_pick(struct itsi_actor *actor, uint64_t h);

/* ---- the finished picture (weather.c) ------------------------------------------------------------------------------
 */

struct itsi_noise {
    int8_t *table; /* ITSI_NOISE_SIZE + width */
    int width;
};
enum { ITSI_NOISE_SIZE = 1 << 18 };
ITS_NODISCARD int itsi_noise_init(struct itsi_noise *noise, int width, float strength, uint64_t seed);
void itsi_noise_fini(struct itsi_noise *noise);
void itsi_noise_add(const struct itsi_noise *noise, struct itsi_picture *pic, uint64_t seed, int64_t index);
void itsi_rain(struct itsi_picture *pic, uint64_t seed, int64_t index, float strength);
/* A soft spot of light at a place in the picture; u, v: its tint around 128. */
void itsi_glow(struct itsi_picture *pic, float x, float y, float radius, float strength, float u, float v);
/* Head lamps' light on the road: what is in the oval gets brighter. */
void itsi_beam(struct itsi_picture *pic, float x, float y, float rx, float ry, float strength);
/* Streaks and halo of a low sun at (x, y). */
void itsi_glare(struct itsi_picture *pic, const uint8_t *map);
void itsi_glare_map(uint8_t *map, int width, int height, float x, float y);
/* A 3x3 binomial blend, share 0..64 of 64: the lens. `row` holds 3 rows of width. */
void itsi_soften(uint8_t *plane, int stride, int width, int height, int share, uint8_t *row);

/* The part of the picture that the time code covers, pixels (timecode.c). */
void itsi_timecode_size(int width, int height, int *w, int *h);

#endif
