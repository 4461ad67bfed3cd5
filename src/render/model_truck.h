/* Private to the model_truck*.c and model_van.c files: the parts that lorries are put together from. */
#ifndef ITSI_MODEL_TRUCK_H
#define ITSI_MODEL_TRUCK_H

#include "render/mesh.h"

/* The cab of a lorry: front at y, flat nose, big windscreen; deflector: height of the one on its roof, 0: none. */
void itsi_truck_cab(struct itsi_mesh *m, float y, float depth, float half, float top, float deflector, uint64_t h);
/* The closed body, from y0 (rear) to y1, with lettering and rear doors. */
void itsi_truck_box(struct itsi_mesh *m, float y0, float y1, float half, float floor, float top, uint64_t h);
/* An open bed with walls up to `wall`. */
void itsi_truck_bed(struct itsi_mesh *m, float y0, float y1, float half, float floor, float wall);
/* Bumper and lamps of the rear at y, below z. */
void itsi_truck_tail(struct itsi_mesh *m, float y, float half, float z);
void itsi_truck_chassis(struct itsi_mesh *m, float y0, float y1, float half, float top);
void itsi_truck_wheel_pair(struct itsi_mesh *m, float half, float y, float r, float w);
/* Crates, or whatever stands on a bed between y0 and y1. */
void itsi_truck_load(struct itsi_mesh *m, float y0, float y1, float half, float floor, float top, uint64_t h);

/* Those that work: tipper, refuse lorry, mixer, crane, car carrier (model_truck_work.c). */
void itsi_truck_tipper(struct itsi_mesh *m, uint64_t h);
void itsi_truck_refuse(struct itsi_mesh *m, uint64_t h);
void itsi_truck_mixer(struct itsi_mesh *m, uint64_t h);
void itsi_truck_crane(struct itsi_mesh *m, uint64_t h);
void itsi_truck_carrier(struct itsi_mesh *m, uint64_t h);
/* A van's cab with a box of its own behind it (model_van.c). */
void itsi_truck_van(struct itsi_mesh *m, uint64_t h);

#endif
