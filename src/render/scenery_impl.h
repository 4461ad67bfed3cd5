/* Private to the scenery: how the things that stand along the roads are built, one after the other in one mesh. None of
 * them is traffic, so none carries truth: they are also what a detector must learn to leave alone. */
#ifndef ITSI_RENDER_SCENERY_IMPL_H
#define ITSI_RENDER_SCENERY_IMPL_H

#include "render/scene.h"

struct itsi_builder {
    const struct itsi_scene *scene;
    itsi_scenery_sink *sink;
    void *arg;
    struct itsi_actor actor; /* its mesh is rebuilt for each thing */
    struct itsi_mesh mesh;
    uint64_t h;
    int rc;
};

/* ---- scenery_things.c: the builder, and what stands along every road ---- */

/* Readies an empty mesh that will stand at (x, y) of the straight road, turned with the road's bend. */
void itsi_build_begin(struct itsi_builder *b, float x, float y, uint64_t h);
/* Turns it further, in quarter turns and a rest in radians. */
void itsi_build_turn(struct itsi_builder *b, int quarters, float rest);
/* Hands it over, unless the camera is within `clear` metres of it. */
void itsi_build_finish(struct itsi_builder *b, float clear);
void itsi_build_colour(struct itsi_builder *b, int mat, float r, float g, float bl);
void itsi_build_leaves(struct itsi_builder *b); /* the colours of foliage */
void itsi_build_crown(struct itsi_builder *b, struct itsi_vec3 c, float rx, float rz, int leaves);
void itsi_build_lettering(struct itsi_builder *b, float y, float x0, float x1, float z0, float z1, uint64_t h);
void itsi_build_tree(struct itsi_builder *b, float x, float y, float height, uint64_t h);
void itsi_build_bush(struct itsi_builder *b, float x, float y, float size, uint64_t h);
/* Leaves that hang into the picture right before the camera. */
void itsi_build_twigs(struct itsi_builder *b, uint64_t h);
void itsi_build_rail(struct itsi_builder *b, float x, float y0, float y1, bool concrete, uint64_t h);
void itsi_build_lamp(struct itsi_builder *b, float x, float y, float reach, uint64_t h);
void itsi_build_gantry(struct itsi_builder *b, float x0, float x1, float y, uint64_t h);
void itsi_build_sign(struct itsi_builder *b, float x, float y, uint64_t h);
void itsi_build_signal(struct itsi_builder *b, float x, float y, float reach, uint64_t h);

/* ---- scenery_house.c ---- */

void itsi_build_house(struct itsi_builder *b, float x, float y, float w, float d, uint64_t h);

/* ---- scenery_props.c: clutter of all kinds, much of it of the size and colours of vehicles ---- */

/* Something that stands on a pavement, beside a road or far out in the fields. */
void itsi_build_street_prop(struct itsi_builder *b, float x, float y, uint64_t h);
void itsi_build_verge_prop(struct itsi_builder *b, float x, float y, uint64_t h);
void itsi_build_field_prop(struct itsi_builder *b, float x, float y, uint64_t h);
/* Cones, barrels or boards in a row along the road. */
void itsi_build_works(struct itsi_builder *b, float x, float y0, float y1, uint64_t h);

/* ---- scenery_large.c: walls, bridges, tunnels ---- */

/* Along the road: noise barrier, hedge, fence or wall, by the hash. */
void itsi_build_screen(struct itsi_builder *b, float x, float y0, float y1, uint64_t h);
/* The mouths of a tunnel and the hill over it; nothing beyond is seen. */
void itsi_build_portal(struct itsi_builder *b, float y, uint64_t h);
/* A bridge over the road. */
void itsi_build_bridge(struct itsi_builder *b, float x0, float x1, float y, uint64_t h);

#endif
