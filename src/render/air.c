/* Sun, sky and air for each kind of weather and light. */
#include "render/render_impl.h"

static void light(struct itsi_air *a, enum itsi_road_light light, uint64_t h)
{
    double around = itsi_hash_range(h, 1, 0, 6.2831853f);
    float high = itsi_hash_range(h, 2, 0.45f, 0.9f);
    a->zenith = itsi_rgb(0.36f, 0.55f, 0.86f);
    a->horizon = itsi_rgb(0.74f, 0.82f, 0.90f);
    a->sun_light = itsi_rgb(0.66f, 0.61f, 0.52f);
    a->bounce = itsi_rgb(0.27f, 0.265f, 0.25f);
    a->shadow = 1;
    a->exposure = itsi_hash_range(h, 3, 1.1f, 1.5f);
    a->lift = itsi_hash_range(h, 4, -0.01f, 0.07f);
    a->saturation = itsi_hash_range(h, 8, 0.6f, 1.1f);
    a->warmth = itsi_hash_range(h, 9, -0.06f, 0.07f);
    a->fog_per_m = itsi_hash_range(h, 5, 0.0004f, 0.0018f);
    if (light == ITSI_LIGHT_DUSK) {
        high = itsi_hash_range(h, 2, 0.12f, 0.3f);
        a->zenith = itsi_rgb(0.22f, 0.27f, 0.45f);
        a->horizon = itsi_rgb(0.60f, 0.50f, 0.46f);
        a->sun_light = itsi_rgb(0.34f, 0.24f, 0.15f);
        a->bounce = itsi_rgb(0.16f, 0.15f, 0.16f);
        a->shadow = 0.5f;
        a->ambient = 0.06f;
        a->lamps = true;
        a->lamp_glow = 0.35f;
    } else if (light == ITSI_LIGHT_NIGHT) {
        a->zenith = itsi_rgb(0.02f, 0.025f, 0.045f);
        a->horizon = itsi_rgb(0.10f, 0.085f, 0.08f);
        a->sun_light = itsi_rgb(0.34f, 0.29f, 0.20f); /* the street lamps overhead */
        a->night = true;
        a->bounce = itsi_rgb(0.05f, 0.045f, 0.04f);
        a->shadow = itsi_hash_range(h, 6, 0.5f, 1.1f);
        a->ambient = itsi_hash_range(h, 11, 0.04f, 0.16f);
        a->lamps = true;
        a->lamp_glow = 1;
        high = 0.97f;
    } else if (light == ITSI_LIGHT_GLARE) {
        /* A low sun in front of the camera. */
        around = 1.5707963 + itsi_hash_range(h, 1, -0.35f, 0.35f);
        high = itsi_hash_range(h, 2, 0.16f, 0.3f);
        a->sun_light = itsi_rgb(0.75f, 0.66f, 0.48f);
        a->horizon = itsi_rgb(0.92f, 0.88f, 0.80f);
        a->lift = 0.06f;
        a->fog_per_m = 0.003f;
    }
    a->sun = itsi_unit(itsi_vec3((float)itsi_cosine(around), (float)itsi_sine(around), high * 1.4f));
}

static void weather(struct itsi_air *a, enum itsi_road_weather weather, enum itsi_road_light light, uint64_t h)
{
    bool night = light == ITSI_LIGHT_NIGHT;
    if (weather == ITSI_WEATHER_CLEAR)
        return;
    float grey = (a->horizon.r + a->horizon.g + a->horizon.b) / 3 * 0.93f;
    struct itsi_rgb cloud = itsi_rgb(grey * 0.97f, grey, grey * 1.04f);
    a->zenith = itsi_mix(a->zenith, itsi_scale(cloud, 0.86f), night ? 0.4f : 0.92f);
    a->horizon = itsi_mix(a->horizon, cloud, 0.85f);
    if (!night) {
        a->shadow *= light == ITSI_LIGHT_GLARE ? 0.5f : 0.12f;
        a->ambient += 0.12f;
    }
    if (weather == ITSI_WEATHER_RAIN) {
        a->zenith = itsi_scale(a->zenith, 0.8f);
        a->horizon = itsi_scale(a->horizon, 0.82f);
        a->fog_per_m = itsi_hash_range(h, 7, 0.004f, 0.008f);
        a->wet = true;
        a->lamps = true;
        a->lamp_glow = itsi_maxf(a->lamp_glow, 0.4f);
    } else if (weather == ITSI_WEATHER_FOG) {
        a->fog_per_m = itsi_hash_range(h, 7, 0.007f, 0.018f);
        a->exposure *= 0.85f;
        a->lamps = true;
        a->lamp_glow = itsi_maxf(a->lamp_glow, 0.5f);
    }
}

void itsi_air_init(struct itsi_air *air, const struct itsi_road_params *params)
{
    *air = (struct itsi_air){0};
    uint64_t h = itsi_hash(params->seed, 77);
    light(air, params->light, h);
    weather(air, params->weather, params->light, h);
    air->fog = itsi_mix(air->horizon, air->zenith, 0.1f);
}
