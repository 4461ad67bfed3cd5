/* Private to the model_car*.c files: what a car is made from. */
#ifndef ITSI_MODEL_CAR_H
#define ITSI_MODEL_CAR_H

#include "render/mesh.h"

/* How the rear ends. */
enum itsi_car_tail { ITSI_CAR_NOTCH, ITSI_CAR_HATCH, ITSI_CAR_WAGON };

/* Metres; heights from the ground, lengths along the car. */
struct itsi_car_form {
    enum itsi_car_tail kind;
    float length, width, height;
    float nose, cowl, belt, tail;     /* heights: front of the bonnet, foot of the windscreen, waist, boot lid */
    float bonnet, screen, roof, back; /* lengths from the front: bonnet, windscreen, roof, rear screen */
    float clearance, wheel, tumble;   /* tumble: roof width over body width */
    int panes;                        /* on each side; 1: a panel van */
    bool rugged;                      /* black arches and sills, bars along the roof */
};

/* What is drawn by lot for a model on top of its form. */
struct itsi_car_look {
    int grille, lamps, tails, roof, rim;
    float round;     /* 0..1: how far the front is rounded in plan */
    float lamp_high; /* height of a head lamp */
    bool plate_low, side_strip, bright_frame, spoiler, sticker, livery, dark_lamps, fin, painted_mirrors;
};
enum { ITSI_CAR_GRILLES = 6, ITSI_CAR_LAMPS = 5, ITSI_CAR_TAILS = 5 };
enum itsi_car_roof {
    ITSI_CAR_ROOF_BARE,
    ITSI_CAR_ROOF_GLASS,
    ITSI_CAR_ROOF_RAILS,
    ITSI_CAR_ROOF_RACK,
    ITSI_CAR_ROOF_BOX,
    ITSI_CAR_ROOF_TAXI,
    ITSI_CAR_ROOF_BLUE
};

/* The looks drawn by lot for a form. */
struct itsi_car_look itsi_car_look(const struct itsi_car_form *form, uint64_t h);
void itsi_car_build(struct itsi_mesh *m, const struct itsi_car_form *form, const struct itsi_car_look *look);

/* Cross-sections from front to rear, each from the right sill over the roof to the left one. */
enum { ITSI_CAR_HALF = 9, ITSI_CAR_POINTS = 2 * ITSI_CAR_HALF - 1, ITSI_CAR_RINGS = 24 };
struct itsi_car_shell {
    struct itsi_vec3 grid[ITSI_CAR_RINGS * ITSI_CAR_POINTS];
    int8_t mats[ITSI_CAR_RINGS * (ITSI_CAR_POINTS - 1)];
    int rings;
    float cowl_y, roof_y, pillar_y, roof_end, deck_y; /* foot and head of the windscreen, B pillar, rear screen */
    float tip, rump;                                  /* half widths of the flat front and rear faces */
};

void itsi_car_shell_build(struct itsi_car_shell *shell, const struct itsi_car_form *form,
                          const struct itsi_car_look *look);
/* Half width of the shell at a place of its side. */
float itsi_car_shell_x(const struct itsi_car_shell *shell, float y, float z);
/* Height of the shell at a place seen from above. */
float itsi_car_shell_z(const struct itsi_car_shell *shell, float y, float x);

/* Patches that lie on the shell: on both sides, on the top (mirrored when x0 > 0). */
void itsi_car_side_patch(struct itsi_mesh *m, const struct itsi_car_shell *s, float y0, float y1, float z0, float z1,
                         int mat);
void itsi_car_top_patch(struct itsi_mesh *m, const struct itsi_car_shell *s, float x0, float x1, float y0, float y1,
                        int mat);

/* The half disc above a wheel, cut off at `floor`. */
void itsi_car_arch(struct itsi_mesh *m, float x, float y, float z, float r, float floor, int mat);
void itsi_car_front(struct itsi_mesh *m, const struct itsi_car_form *f, const struct itsi_car_shell *s,
                    const struct itsi_car_look *look);
void itsi_car_rear(struct itsi_mesh *m, const struct itsi_car_form *f, const struct itsi_car_shell *s,
                   const struct itsi_car_look *look);
void itsi_car_sides(struct itsi_mesh *m, const struct itsi_car_form *f, const struct itsi_car_shell *s,
                    const struct itsi_car_look *look);
void itsi_car_top(struct itsi_mesh *m, const struct itsi_car_form *f, const struct itsi_car_shell *s,
                  const struct itsi_car_look *look);
void itsi_car_cabin(struct itsi_mesh *m, const struct itsi_car_form *f, const struct itsi_car_shell *s);

#endif
