/* Who is where when: a pure function of the seed and the time.
 *
 * A free lane is an endless row of slots that all move at the lane's speed. A lane with a signal is served cycle by
 * cycle: those who arrive in a cycle leave in its green, so no cycle depends on the one before it. In both, what a slot
 * holds is drawn from a hash of the seed, the lane and the slot's number, and so is everything about the vehicle. */
#include "render/scene.h"

#include <math.h>
#include <string.h>

void itsi_path_at(const struct itsi_scene *scene, const struct itsi_path *path, float s, float aside,
                  struct itsi_vec3 *pos, float *dx, float *dy)
{
    float x, y, ux = path->dx, uy = path->dy;
    float arc = path->radius > 0 ? path->radius : -path->radius;
    if (arc <= 0 || s <= path->straight) {
        x = path->x + ux * s;
        y = path->y + uy * s;
    } else {
        float sign = path->radius > 0 ? 1.0f : -1.0f, quarter = arc * 1.5707963f;
        float along = itsi_minf(s - path->straight, quarter), rest = s - path->straight - along;
        double angle = along / arc;
        float sn = (float)itsi_sine(angle), cs = (float)itsi_cosine(angle);
        float lx = -uy * sign, ly = ux * sign; /* towards the inside of the turn */
        x = path->x + ux * (path->straight + arc * sn) + lx * arc * (1 - cs);
        y = path->y + uy * (path->straight + arc * sn) + ly * arc * (1 - cs);
        float vx = ux * cs + lx * sn, vy = uy * cs + ly * sn;
        ux = vx, uy = vy;
        x += ux * rest;
        y += uy * rest;
    }
    x += uy * aside;
    y -= ux * aside;
    if (scene->bend < 0 || scene->bend > 0) {
        x += scene->bend * y * y * 0.5f;
        ux += scene->bend * y * uy;
        struct itsi_vec3 u = itsi_unit(itsi_vec3(ux, uy, 0));
        ux = u.x, uy = u.y;
    }
    *pos = itsi_vec3(x, y, 0);
    *dx = ux;
    *dy = uy;
}

double itsi_stop_and_go(double t, double arrive, double depart, double queue, double speed, bool *braking)
{
    const double brake = 2.2, launch = 1.6, both = 1 / brake + 1 / launch;
    double delay = depart - arrive;
    *braking = false;
    if (delay < 1e-6)
        return speed * (t - arrive);
    double low = 0;
    if (delay < speed * 0.5 * both)
        low = speed - sqrt(2 * speed * delay / both);
    double drop = speed - low;
    double brake_from = queue - drop * (speed + low) / (2 * brake); /* place where braking starts */
    double t1 = arrive + brake_from / speed, t2 = t1 + drop / brake;
    /* The way out ends on the free line through `depart`. */
    double reach = queue + drop * (speed + low) / (2 * launch);
    double t4 = depart + reach / speed, t3 = t4 - drop / launch;
    if (t < t1)
        return speed * (t - arrive);
    if (t < t2) {
        double u = t - t1;
        *braking = true;
        return brake_from + speed * u - brake * u * u / 2;
    }
    if (t < t3) {
        *braking = true;
        return queue;
    }
    if (t < t4) {
        double u = t - t3;
        return queue + low * u + launch * u * u / 2;
    }
    return speed * (t - depart);
}

/* ---- who ---- */

static int pick_class(const struct itsi_lane *lane, uint64_t h)
{
    float total = 0;
    for (int c = 0; c < ITSI_ROAD_CLASS_COUNT; c++)
        total += lane->weight[c];
    float u = itsi_hash_unit(h, 1) * total;
    int c = 0;
    while (c < ITSI_ROAD_CLASS_COUNT - 1 && u >= lane->weight[c])
        u -= lane->weight[c++];
    return c;
}

/* NULL: none of what was drawn fits into the lane. */
static const struct itsi_mesh *pick_mesh(const struct itsi_models *m, const struct itsi_lane *lane, int cls, uint64_t h)
{
    static const struct {
        int first, count;
    } sets[ITSI_ROAD_CLASS_COUNT] = {[ITSI_ROAD_CAR] = {ITSI_FIRST_VAN, ITSI_VAN_MODELS + ITSI_CAR_MODELS},
                                     [ITSI_ROAD_TRUCK] = {ITSI_FIRST_TRUCK, ITSI_TRUCK_MODELS},
                                     [ITSI_ROAD_BUS] = {ITSI_FIRST_BUS, ITSI_BUS_MODELS},
                                     [ITSI_ROAD_MOTORCYCLE] = {ITSI_FIRST_MOTO, ITSI_MOTO_MODELS},
                                     [ITSI_ROAD_BICYCLE] = {ITSI_FIRST_BIKE, ITSI_BIKE_MODELS},
                                     [ITSI_ROAD_PERSON] = {ITSI_FIRST_PERSON, ITSI_PERSON_MODELS}};
    const struct itsi_mesh *set = &m->mesh[sets[cls].first];
    int count = sets[cls].count;
    for (int tries = 0; tries < 8; tries++) {
        const struct itsi_mesh *mesh = &set[itsi_hash_below(h, (uint64_t)(2 + tries), count)];
        if (mesh->length <= lane->max_length)
            return mesh;
    }
    return NULL;
}

/* The fixed things about the h-th vehicle. Where no lorry or bus fits, a car drives instead. */
static void dress(struct itsi_actor *a, const struct itsi_models *models, const struct itsi_lane *lane, uint64_t h)
{
    memset(a, 0, sizeof *a);
    a->cls = pick_class(lane, h);
    a->mesh = pick_mesh(models, lane, a->cls, h);
    if (a->mesh == NULL && a->cls != ITSI_ROAD_CAR)
        a->mesh = pick_mesh(models, lane, a->cls = ITSI_ROAD_CAR, h);
    if (a->mesh == NULL)
        a->mesh = &models->mesh[ITSI_FIRST_CAR + ITSI_CAR_MODELS - 1]; /* the smallest */
    a->sx = itsi_hash_range(h, 20, 0.96f, 1.04f);
    a->sy = itsi_hash_range(h, 21, 0.96f, 1.04f);
    a->sz = itsi_hash_range(h, 22, 0.96f, 1.05f);
    if (a->cls == ITSI_ROAD_PERSON) { /* thin and stout, short and tall */
        a->sx = itsi_hash_range(h, 20, 0.86f, 1.2f);
        a->sy = itsi_hash_range(h, 21, 0.88f, 1.2f);
        a->sz = itsi_hash_range(h, 22, 0.9f, 1.07f);
    }
    itsi_palette_pick(a, itsi_hash(h, 23));
}

/* ---- where ---- */

struct crowd {
    const struct itsi_scene *scene;
    const struct itsi_models *models;
    struct itsi_actor *actors;
    int count, cap;
    double t;
};

static void place(struct crowd *c, const struct itsi_lane *lane, int lane_index, uint64_t h, int64_t slot, double s,
                  float aside, float drift, double speed, bool braking)
{
    const struct itsi_path *path = &lane->path[lane->paths > 1 && itsi_hash_unit(h, 30) < 0.4f];
    if (s < -10 || s > path->length || c->count >= c->cap)
        return;
    struct itsi_actor *a = &c->actors[c->count];
    dress(a, c->models, lane, h);
    float dx, dy;
    aside += (itsi_hash_unit(h, 31) - 0.5f) * 2 * lane->sway;
    itsi_path_at(c->scene, path, (float)s, aside, &a->pos, &dx, &dy);
    float ahead = 1 - (lane->slant < 0 ? -lane->slant : lane->slant), turn = drift + lane->slant;
    struct itsi_vec3 u = itsi_unit(itsi_vec3(dx * ahead + dy * turn, dy * ahead - dx * turn, 0));
    a->cos_yaw = u.y;
    a->sin_yaw = -u.x;
    a->speed = (float)speed;
    a->lit = lane->speed > 0;
    a->braking = braking && a->cls != ITSI_ROAD_PERSON && a->cls != ITSI_ROAD_BICYCLE;
    a->distance = sqrtf(itsi_dot(itsi_sub(a->pos, c->scene->cam.pos), itsi_sub(a->pos, c->scene->cam.pos)));
    /* Unique among all that can be in sight together: the lane and the slot. Riders get the next number. */
    a->id = (int32_t)((uint32_t)lane_index << 24 | ((uint32_t)slot & 0x7fffff) << 1);
    if (a->cls == ITSI_ROAD_PERSON)
        a->swing = speed > 0.05 ? (float)itsi_sine(s * 4.2 + itsi_hash_range(h, 33, 0, 6)) : 0.1f;
    c->count++;
    bool ridden = a->cls == ITSI_ROAD_MOTORCYCLE || a->cls == ITSI_ROAD_BICYCLE;
    if (!ridden || lane->speed <= 0 || c->count >= c->cap)
        return;
    struct itsi_actor *r = &c->actors[c->count++];
    *r = *a;
    r->cls = ITSI_ROAD_PERSON;
    r->mesh = &c->models->mesh[ITSI_FIRST_RIDER + (a->cls == ITSI_ROAD_BICYCLE)];
    r->id = a->id | 1;
}

static uint64_t slot_hash(const struct itsi_scene *scene, int lane, int64_t slot)
{
    return itsi_hash(itsi_hash(scene->seed, (uint64_t)(7000 + lane)), (uint64_t)slot);
}

static bool taken(const struct itsi_scene *scene, const struct itsi_lane *lane, int index, int64_t slot, double density)
{
    return itsi_hash_unit(slot_hash(scene, index, slot), 90) < (float)((double)lane->fill * density);
}

/* Place along the lane of a slot's vehicle. */
static double slot_at(const struct itsi_scene *scene, const struct itsi_lane *lane, int index, int64_t slot, double t)
{
    float room = itsi_maxf(0, lane->spacing - 17) + (lane->spacing < 17 ? lane->spacing * 0.3f : 0.0f);
    return (double)lane->speed * t - (double)slot * (double)lane->spacing +
           (double)(itsi_hash_unit(slot_hash(scene, index, slot), 91) * room);
}

/* A vehicle that moves to the next lane and stays there: when, and whether there is room. */
struct change {
    bool happens;
    double from, until;
};
static struct change lane_change(const struct itsi_scene *scene, const struct itsi_lane *lane, int index, int64_t slot,
                                 double density)
{
    struct change ch = {false, 0, 0};
    if (lane->change_to < 0 || (slot & 3) != 1)
        return ch;
    const struct itsi_lane *to = &scene->lane[lane->change_to];
    uint64_t h = slot_hash(scene, index, slot);
    double where = itsi_hash_range(h, 92, 60, 200); /* metres along the lane */
    ch.from = (where - slot_at(scene, lane, index, slot, 0)) / (double)lane->speed;
    ch.until = ch.from + 3.5;
    /* Once over it keeps the new lane's speed, so its place among the slots there never changes again. */
    double s = slot_at(scene, lane, index, slot, ch.from) + (double)(lane->speed + to->speed) * 0.5 * 3.5;
    double start = s - (double)to->speed * ch.until;
    int64_t mid = (int64_t)floor(-start / (double)to->spacing);
    for (int64_t k = mid - 2; k <= mid + 2; k++) {
        double gap = slot_at(scene, to, lane->change_to, k, 0) - start;
        if (gap > -32 && gap < 32 && taken(scene, to, lane->change_to, k, density))
            return ch;
    }
    ch.happens = true;
    return ch;
}

static void free_lane(struct crowd *c, int index, double density)
{
    const struct itsi_lane *lane = &c->scene->lane[index];
    double v = (double)lane->speed, length = (double)lane->path[0].length, spacing = (double)lane->spacing;
    /* A changer may be ahead of or behind its slot by what the lanes' speeds differ. */
    double slack = lane->change_to >= 0 ? 120 : 0;
    int64_t first = (int64_t)floor((v * c->t - length - slack) / spacing) - 1;
    int64_t last = (int64_t)ceil((v * c->t + slack) / spacing) + 1;
    for (int64_t slot = first; slot <= last; slot++) {
        if (!taken(c->scene, lane, index, slot, density))
            continue;
        double s = slot_at(c->scene, lane, index, slot, c->t);
        if (v <= 0 && fabs(s - (double)lane->stop) < 6)
            continue;
        float aside = 0, drift = 0;
        double speed = v;
        struct change ch = lane_change(c->scene, lane, index, slot, density);
        if (ch.happens && c->t > ch.from) {
            const struct itsi_lane *to = &c->scene->lane[lane->change_to];
            float gap = (to->path[0].x - lane->path[0].x) * lane->path[0].dy;
            double span = ch.until - ch.from, u = (c->t - ch.from) / span, gain = (double)to->speed - v;
            u = u > 1 ? 1 : u;
            aside = gap * (float)(u * u * (3 - 2 * u));
            drift = gap * (float)(6 * u * (1 - u) / span) / itsi_maxf(lane->speed, 3);
            s += gain * (u * u * span * 0.5 + (c->t > ch.until ? c->t - ch.until : 0));
            speed = v + gain * u;
        }
        /* Whoever crawls in a queue has a foot on the brake. */
        bool braking = v > 0 && v < 2 && lane->weight[ITSI_ROAD_CAR] > 0;
        place(c, lane, index, slot_hash(c->scene, index, slot), slot, s, aside, drift, speed, braking);
    }
}

static void signal_cycle(struct crowd *c, int index, int64_t cycle, double density)
{
    enum { SLOTS = 40 };
    const struct itsi_lane *lane = &c->scene->lane[index];
    double red = (double)cycle * lane->period + lane->offset, green = red + lane->period - lane->green;
    double last_depart = green, queue = 0;
    bool person = lane->weight[ITSI_ROAD_PERSON] > 0;
    int64_t base = cycle * SLOTS;
    for (int j = 0; j < SLOTS; j++) {
        uint64_t h = slot_hash(c->scene, index, base + j);
        double arrive = red + (double)lane->headway * (j + 0.35 * (double)itsi_hash_unit(h, 91));
        if (arrive > red + lane->period - 1)
            return;
        if (itsi_hash_unit(h, 90) >= (float)((double)lane->fill * density))
            continue;
        struct itsi_actor probe;
        dress(&probe, c->models, lane, h);
        double length = (double)(probe.mesh->length * probe.sy), v = (double)lane->speed;
        double react = person ? 0.3 + 1.5 * (double)itsi_hash_unit(h, 93) : 1.0;
        double depart = arrive;
        if (person) { /* they stand side by side and go as they please */
            double ready = green + react;
            depart = arrive > ready ? arrive : ready;
        } else {
            double need = last_depart + (last_depart > green ? 1.6 + length / v : react + v / 3.2);
            depart = arrive > need ? arrive : need;
        }
        if (depart > red + lane->period - 0.5)
            return; /* the green is used up */
        bool waits = depart - arrive > 1e-6;
        double place_at = waits ? (person ? -(double)itsi_hash_range(h, 94, 0, 1.2f) : queue - length * 0.5) : 0;
        if (waits && !person)
            queue = queue - length - 2.2;
        last_depart = depart;
        bool braking;
        double s = itsi_stop_and_go(c->t, arrive, depart, place_at, v, &braking);
        double ahead = itsi_stop_and_go(c->t + 0.1, arrive, depart, place_at, v, &(bool){false});
        place(c, lane, index, h, base + j, s + (double)lane->stop, 0, 0, (ahead - s) * 10, braking);
    }
}

static void signal_lane(struct crowd *c, int index, double density)
{
    const struct itsi_lane *lane = &c->scene->lane[index];
    double v = (double)lane->speed, before = (double)lane->stop / v + 2;
    double after = ((double)itsi_maxf(lane->path[0].length, lane->path[1].length) - (double)lane->stop) / v +
                   lane->period;
    int64_t first = (int64_t)floor((c->t - after - lane->offset) / lane->period) - 1;
    int64_t last = (int64_t)floor((c->t + before - lane->offset) / lane->period) + 1;
    for (int64_t cycle = first; cycle <= last; cycle++)
        signal_cycle(c, index, cycle, density);
}

int itsi_traffic(const struct itsi_scene *scene, const struct itsi_models *models, double density, double t,
                 struct itsi_actor *actors, int cap)
{
    struct crowd c = {scene, models, actors, 0, cap, t};
    if (density <= 0)
        return 0;
    for (int i = 0; i < scene->lane_count; i++) {
        if (scene->lane[i].signal)
            signal_lane(&c, i, density);
        else
            free_lane(&c, i, density);
    }
    return c.count;
}
