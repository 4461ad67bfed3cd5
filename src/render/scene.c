/* What the scenes are put together from: strips, lines, marks, lanes and who uses them; and the choice of the scene. */
#include "render/scene.h"

#include <math.h>
#include <string.h>

void itsi_strip_add(struct itsi_section *s, float x0, float x1, enum itsi_surface surface)
{
    if (s->strip_count < (int)(sizeof s->strip / sizeof *s->strip))
        s->strip[s->strip_count++] = (struct itsi_strip){x0, x1, surface};
}

void itsi_line_add(struct itsi_section *s, float x, float width, float dash, float gap, bool yellow)
{
    if (s->line_count < (int)(sizeof s->line / sizeof *s->line))
        s->line[s->line_count++] = (struct itsi_line){x, width, dash, gap, yellow, -1e6f, 1e6f};
}

struct itsi_mark *itsi_mark_add(struct itsi_scene *s, float x0, float y0, float x1, float y1, float stripe, bool across,
                                int arrow)
{
    struct itsi_mark *m = &s->mark[s->mark_count < ITSI_MAX_MARKS ? s->mark_count++ : ITSI_MAX_MARKS - 1];
    *m = (struct itsi_mark){.x0 = x0, .y0 = y0, .x1 = x1, .y1 = y1, .stripe = stripe, .across = across, .arrow = arrow};
    return m;
}

struct itsi_lane *itsi_lane_add(struct itsi_scene *s, float x, float y, float dx, float dy, float length, float speed)
{
    int at = s->lane_count < ITSI_MAX_LANES ? s->lane_count++ : ITSI_MAX_LANES - 1;
    struct itsi_lane *lane = &s->lane[at];
    *lane = (struct itsi_lane){
        .paths = 1, .speed = speed, .change_to = -1, .max_length = 30, .spacing = 30, .fill = 0.5f};
    lane->path[0] = (struct itsi_path){x, y, dx, dy, length, 0, length};
    return lane;
}

static void camera_turn(struct itsi_camera *cam, struct itsi_vec3 pos, struct itsi_vec3 at, float roll, int width,
                        int height)
{
    cam->pos = pos;
    cam->forward = itsi_unit(itsi_sub(at, pos));
    struct itsi_vec3 right = itsi_unit(itsi_cross(cam->forward, itsi_vec3(0, 0, 1)));
    struct itsi_vec3 up = itsi_cross(right, cam->forward);
    float c = (float)itsi_cosine(roll), s = (float)itsi_sine(roll);
    cam->right = itsi_vec3(right.x * c + up.x * s, right.y * c + up.y * s, right.z * c + up.z * s);
    cam->up = itsi_vec3(up.x * c - right.x * s, up.y * c - right.y * s, up.z * c - right.z * s);
    cam->cx = (float)(width * ITSI_SS) * 0.5f;
    cam->cy = (float)(height * ITSI_SS) * 0.5f;
}

void itsi_camera_aim(struct itsi_camera *cam, struct itsi_vec3 pos, struct itsi_vec3 at, float hfov, float roll,
                     int width, int height)
{
    camera_turn(cam, pos, at, roll, width, height);
    double half = hfov * 0.5 * 3.141592653589793 / 180;
    cam->focal = (float)((double)width * ITSI_SS * 0.5 * itsi_cosine(half) / itsi_sine(half));
}

void itsi_camera_frame(struct itsi_camera *cam, struct itsi_vec3 pos, struct itsi_vec3 at, float across, float roll,
                       int width, int height)
{
    camera_turn(cam, pos, at, roll, width, height);
    struct itsi_vec3 d = itsi_sub(at, pos);
    cam->focal = (float)(width * ITSI_SS) * sqrtf(itsi_dot(d, d)) / across;
}

void itsi_lane_mix(struct itsi_lane *lane, float car, float truck, float bus, float moto, float bike, float person)
{
    const float w[ITSI_ROAD_CLASS_COUNT] = {car, truck, bus, moto, bike, person};
    memcpy(lane->weight, w, sizeof w);
}

void itsi_lane_walkers(struct itsi_scene *s, uint64_t h, float x, float y0, float length)
{
    for (int way = -1; way <= 1; way += 2) {
        struct itsi_lane *l = itsi_lane_add(s, x + 0.5f * (float)way, way > 0 ? y0 : y0 + length, 0, (float)way, length,
                                            itsi_hash_range(h, (uint64_t)(2 + way), 1.0f, 1.5f));
        l->spacing = itsi_hash_range(h, (uint64_t)(5 + way), 2.5f, 6);
        l->fill = itsi_hash_range(h, (uint64_t)(8 + way), 0.08f, 0.4f);
        l->sway = 0.8f;
        itsi_lane_mix(l, 0, 0, 0, 0, 0, 1);
    }
}

void itsi_lane_city(struct itsi_lane *l, uint64_t h)
{
    itsi_lane_mix(l, 0.72f, itsi_hash_range(h, 1, 0.05f, 0.14f), itsi_hash_range(h, 2, 0.04f, 0.12f), 0.07f, 0.01f, 0);
    l->max_length = 13.8f;
    l->sway = 0.15f;
}

void itsi_lane_obey(struct itsi_lane *l, const struct itsi_signal *sig, float stop, float headway)
{
    l->signal = true;
    l->stop = stop;
    l->headway = headway;
    l->period = sig->period;
    l->green = sig->green;
    l->offset = sig->offset;
}

/* Persons over a zebra: they wait at the kerb while the traffic has green. */
void itsi_lane_zebra(struct itsi_scene *s, float half, float beyond, float at, bool along_y, float centre,
                     const struct itsi_signal *sig)
{
    for (int way = -1; way <= 1; way += 2) {
        float start = (half + beyond) * (float)-way, len = 2 * (half + beyond);
        struct itsi_lane *l = along_y ? itsi_lane_add(s, at, centre + start, 0, (float)way, len, 1.35f)
                                      : itsi_lane_add(s, centre + start, at, (float)way, 0, len, 1.35f);
        itsi_lane_obey(l, sig, beyond - 0.5f, 3.5f);
        l->fill = 0.16f;
        l->sway = 1.3f;
        itsi_lane_mix(l, 0, 0, 0, 0, 0, 1);
    }
}

void itsi_section_paved(struct itsi_section *sec, float half, float walk)
{
    itsi_strip_add(sec, -half, half, ITSI_ASPHALT);
    itsi_strip_add(sec, half, half + walk, ITSI_PAVEMENT);
    itsi_strip_add(sec, -half - walk, -half, ITSI_PAVEMENT);
    sec->left = -half;
    sec->right = half;
}

/* Makes rare vehicles as frequent as cars on the lanes where they may drive; lanes of bicycles or persons stay. */
static void even_out(struct itsi_scene *s, float mix)
{
    static const float even[ITSI_ROAD_CLASS_COUNT] = {
        [ITSI_ROAD_CAR] = 1, [ITSI_ROAD_TRUCK] = 1, [ITSI_ROAD_BUS] = 1, [ITSI_ROAD_MOTORCYCLE] = 1};
    for (int i = 0; i < s->lane_count; i++) {
        struct itsi_lane *l = &s->lane[i];
        if (l->weight[ITSI_ROAD_CAR] <= 0)
            continue;
        bool slow = l->speed > 0 && l->speed < 14, roomy = l->max_length > 13;
        for (int c = 0; c < ITSI_ROAD_CLASS_COUNT; c++) {
            float wanted = c == ITSI_ROAD_BICYCLE ? (slow ? 1.0f : 0.0f) : c == ITSI_ROAD_BUS && !roomy ? 0 : even[c];
            l->weight[c] = itsi_mixf(l->weight[c], wanted * 0.22f, mix);
        }
    }
}

void itsi_scene_init(struct itsi_scene *scene, const struct itsi_road_params *params)
{
    memset(scene, 0, sizeof *scene);
    scene->seed = itsi_hash(params->seed, 5);
    scene->style = itsi_hash_below(scene->seed, 1, 4);
    /* Where the scenes find the size of the picture until they aim the camera. */
    scene->cam.cx = (float)params->width;
    scene->cam.cy = (float)params->height;
    scene->dark = params->light == ITSI_LIGHT_NIGHT || params->light == ITSI_LIGHT_DUSK;
    scene->kind = (enum itsi_road_scene)itsi_road_scene_find(params->scene);
    static void (*const make[ITSI_SCENE_COUNT])(struct itsi_scene *, uint64_t) = {
        [ITSI_SCENE_CROSSROADS] = itsi_scene_crossroads, [ITSI_SCENE_MOTORWAY] = itsi_scene_motorway,
        [ITSI_SCENE_STREET] = itsi_scene_street,         [ITSI_SCENE_PLAZA] = itsi_scene_plaza,
        [ITSI_SCENE_TUNNEL] = itsi_scene_tunnel,         [ITSI_SCENE_CARPARK] = itsi_scene_carpark};
    make[scene->kind](scene, scene->seed);
    even_out(scene, (float)params->mix);
    itsi_wear_pick(scene);
    itsi_view_aim(scene, params->view, params->width, params->height);
}
