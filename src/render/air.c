/* Sun, sky and air for each kind of weather and light, each over the whole range in which cameras meet it, and what the
 * camera's own exposure and colour make of them. */
#include "render/draw.h"

static bool chance(uint64_t h, uint64_t what, float share) { return itsi_hash_unit(h, what) < share; }

/* Most cameras render well; some are too dark or too bright, flat, nearly grey, vivid or of a cast. */
static void camera(struct itsi_air *a, uint64_t h)
{
    a->exposure = itsi_hash_range(h, 3, 1.15f, 1.75f);
    if (chance(h, 20, 0.22f))
        a->exposure = chance(h, 21, 0.5f) ? itsi_hash_range(h, 22, 0.65f, 1) : itsi_hash_range(h, 22, 1.7f, 2.1f);
    a->lift = itsi_hash_range(h, 4, -0.03f, 0.07f);
    if (chance(h, 23, 0.15f)) {
        a->lift = itsi_hash_range(h, 24, 0.08f, 0.24f);
        a->exposure *= 0.75f;
    }
    a->saturation = itsi_hash_range(h, 8, 0.55f, 1.2f);
    if (chance(h, 25, 0.2f))
        a->saturation = chance(h, 26, 0.6f) ? itsi_hash_range(h, 27, 0, 0.5f) : itsi_hash_range(h, 27, 1.2f, 1.6f);
    a->warmth = itsi_hash_range(h, 9, -0.06f, 0.07f);
    if (chance(h, 28, 0.2f))
        a->warmth = itsi_hash_range(h, 29, -0.18f, 0.18f);
}

static void day(struct itsi_air *a, uint64_t h)
{
    /* A hazy sun leaves shadows open, a hard one makes them black. */
    float hard = itsi_hash_range(h, 30, 0.7f, 1.7f), sky = 1.12f - 0.3f * hard;
    a->zenith = itsi_scale(itsi_rgb(0.36f, 0.55f, 0.86f), sky + 0.1f);
    a->horizon = itsi_scale(itsi_rgb(0.74f, 0.82f, 0.90f), sky + 0.1f);
    a->sun_light = itsi_scale(itsi_rgb(0.66f, 0.61f, 0.52f), hard);
    a->bounce = itsi_rgb(0.27f, 0.265f, 0.25f);
    a->shadow = itsi_hash_range(h, 31, 0.75f, 1);
    a->fog_per_m = itsi_hash_range(h, 5, 0.0003f, 0.0018f);
    if (chance(h, 32, 0.15f)) /* haze */
        a->fog_per_m = itsi_hash_range(h, 33, 0.002f, 0.006f);
}

static void dusk(struct itsi_air *a, uint64_t h)
{
    float late = itsi_hash_unit(h, 30); /* from sunset to the last of the light */
    a->zenith = itsi_mix(itsi_rgb(0.27f, 0.33f, 0.52f), itsi_rgb(0.08f, 0.11f, 0.22f), late);
    a->horizon = itsi_mix(itsi_rgb(0.72f, 0.56f, 0.46f), itsi_rgb(0.30f, 0.26f, 0.30f), late);
    a->sun_light = itsi_scale(itsi_rgb(0.36f, 0.24f, 0.14f), 1.4f - 1.2f * late);
    a->bounce = itsi_rgb(0.16f, 0.15f, 0.16f);
    a->shadow = 0.7f * (1 - late);
    a->ambient = itsi_hash_range(h, 34, 0.02f, 0.10f);
    a->exposure = itsi_maxf(a->exposure, 0.9f) * (1 + late * itsi_hash_range(h, 44, 0.4f, 1.6f)); /* opens up */
    a->lamps = true;
    a->lamp_glow = itsi_hash_range(h, 35, 0.2f, 0.7f);
}

static void night(struct itsi_air *a, uint64_t h)
{
    static const float lamps[4][3] = {
        {0.36f, 0.25f, 0.10f}, {0.34f, 0.29f, 0.20f}, {0.30f, 0.32f, 0.34f}, {0.27f, 0.32f, 0.27f}};
    const float *c = lamps[itsi_hash_below(h, 36, 4)];
    a->zenith = itsi_rgb(0.02f, 0.025f, 0.045f);
    a->horizon = itsi_scale(itsi_rgb(0.10f, 0.085f, 0.08f), itsi_hash_range(h, 37, 0.3f, 1.3f));
    a->sun_light = itsi_scale(itsi_rgb(c[0], c[1], c[2]), itsi_hash_range(h, 30, 0.5f, 1.5f)); /* lamps overhead */
    a->night = true;
    a->bounce = itsi_rgb(0.05f, 0.045f, 0.04f);
    a->shadow = itsi_hash_range(h, 6, 0.4f, 1.1f);
    a->ambient = itsi_hash_range(h, 11, 0.04f, 0.17f);
    a->pool_every = itsi_hash_range(h, 38, 22, 60);
    a->pool_base = itsi_hash_range(h, 39, 0.25f, 0.8f);
    a->exposure = itsi_maxf(a->exposure, 1) * itsi_hash_range(h, 44, 1.1f, 2.1f);
    a->lamps = true;
    a->lamp_glow = itsi_hash_range(h, 35, 0.6f, 1.2f);
}

static void light(struct itsi_air *a, enum itsi_road_light light, uint64_t h)
{
    double around = itsi_hash_range(h, 1, 0, 6.2831853f);
    float high = itsi_hash_range(h, 2, 0.28f, 1.2f);
    day(a, h);
    if (light == ITSI_LIGHT_DUSK) {
        dusk(a, h);
        high = itsi_hash_range(h, 2, 0.12f, 0.3f);
    } else if (light == ITSI_LIGHT_NIGHT) {
        night(a, h);
        high = 0.97f;
    } else if (light == ITSI_LIGHT_GLARE) {
        /* A low sun in front of the camera. */
        around = 1.5707963 + itsi_hash_range(h, 1, -0.5f, 0.5f);
        high = itsi_hash_range(h, 2, 0.14f, 0.4f);
        a->sun_light = itsi_scale(itsi_rgb(0.75f, 0.66f, 0.48f), itsi_hash_range(h, 30, 0.8f, 1.5f));
        a->horizon = itsi_rgb(0.92f, 0.88f, 0.80f);
        a->lift = itsi_maxf(a->lift, 0.04f);
        a->fog_per_m = itsi_hash_range(h, 5, 0.001f, 0.005f);
    }
    a->sun = itsi_unit(itsi_vec3((float)itsi_cosine(around), (float)itsi_sine(around), high * 1.4f));
}

static void weather(struct itsi_air *a, enum itsi_road_weather weather, enum itsi_road_light light, uint64_t h)
{
    bool night = light == ITSI_LIGHT_NIGHT;
    if (weather == ITSI_WEATHER_CLEAR)
        return;
    float grey = (a->horizon.r + a->horizon.g + a->horizon.b) / 3 * itsi_hash_range(h, 40, 0.75f, 1.05f);
    struct itsi_rgb cloud = itsi_rgb(grey * 0.97f, grey, grey * 1.04f);
    a->zenith = itsi_mix(a->zenith, itsi_scale(cloud, 0.86f), night ? 0.4f : 0.92f);
    a->horizon = itsi_mix(a->horizon, cloud, 0.85f);
    if (!night) {
        a->shadow *= light == ITSI_LIGHT_GLARE ? 0.5f : itsi_hash_range(h, 41, 0, 0.3f);
        a->ambient += itsi_hash_range(h, 42, 0.04f, 0.18f);
    }
    if (weather == ITSI_WEATHER_RAIN) {
        a->zenith = itsi_scale(a->zenith, 0.8f);
        a->horizon = itsi_scale(a->horizon, 0.82f);
        a->fog_per_m = itsi_hash_range(h, 7, 0.003f, 0.009f);
        a->wet = true;
        a->lamps = true;
        a->lamp_glow = itsi_maxf(a->lamp_glow, itsi_hash_range(h, 43, 0.2f, 0.5f));
    } else if (weather == ITSI_WEATHER_FOG) {
        a->fog_per_m = itsi_hash_range(h, 7, 0.006f, 0.019f);
        a->exposure *= 0.85f;
        a->lamps = true;
        a->lamp_glow = itsi_maxf(a->lamp_glow, itsi_hash_range(h, 43, 0.2f, 0.6f));
    }
}

void itsi_air_init(struct itsi_air *air, const struct itsi_road_params *params)
{
    *air = (struct itsi_air){0};
    uint64_t h = itsi_hash(params->seed, 77);
    camera(air, h);
    light(air, params->light, h);
    weather(air, params->weather, params->light, h);
    air->fog = itsi_mix(air->horizon, air->zenith, 0.1f);
}
