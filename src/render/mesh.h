/* What road users and things are made of: meshes, their builders (mesh.c) and the models (model_*.c).
 *
 * Metres; +y forward, z up, origin on the ground below the middle. */
#ifndef ITSI_RENDER_MESH_H
#define ITSI_RENDER_MESH_H

#include "render/scene_math.h"

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
    ITSI_VAN_MODELS = 8, /* and pick-ups: of the class car, as all that is built like one */
    ITSI_CAR_MODELS = 28,
    ITSI_TRUCK_MODELS = 16,
    ITSI_BUS_MODELS = 9,
    ITSI_MOTO_MODELS = 6,
    ITSI_BIKE_MODELS = 4,
    ITSI_PERSON_MODELS = 12,
    ITSI_RIDER_MODELS = 2
};
enum {
    ITSI_FIRST_VAN = 0,
    ITSI_FIRST_CAR = ITSI_FIRST_VAN + ITSI_VAN_MODELS,
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
void itsi_model_vans(struct itsi_models *models, uint64_t seed);
void itsi_model_cars(struct itsi_models *models, uint64_t seed);
void itsi_model_trucks(struct itsi_models *models, uint64_t seed);
void itsi_model_buses(struct itsi_models *models, uint64_t seed);
void itsi_model_people(struct itsi_models *models);

#endif
