/* From meshes to pixels: the camera, the air, actors (shade.c, finish.c, cast.c), triangles (raster.c) and the bands
 * that they are laid over the picture in (compose.c).
 *
 * World: metres, x to the right of the road, y along it, z up, ground at z = 0. */
#ifndef ITSI_RENDER_DRAW_H
#define ITSI_RENDER_DRAW_H

#include "render/mesh.h"
#include "render/road.h"

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

/* A band over the picture (compose.c). */

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
/* Colours for an actor of its class (palette.c). */
void itsi_palette_pick(struct itsi_actor *actor, uint64_t h);

#endif
