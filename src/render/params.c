/* Parameters of the synthetic road, and their form as a URL. */
#include "render/road.h"

#include "base/diag.h"
#include "base/url.h"

#include <stdlib.h>
#include <string.h>

static const char *const scenes[] = {
#define ITSI_X(name, text) text,
    ITSI_ROAD_SCENE_MAP(ITSI_X)
#undef ITSI_X
        NULL};
static const char *const weathers[] = {"clear", "cloudy", "rain", "fog", NULL};
static const char *const lights[] = {"day", "dusk", "night", "glare", NULL};
static const char *const views[] = {"usual", "mast", "tele", "overhead", "close", "kerb", "any", NULL};
static const char *const switches[] = {"0", "1", NULL};

const char *itsi_road_class_name(enum itsi_road_class cls)
{
    static const char *const names[] = {
#define ITSI_X(name, text) text,
        ITSI_ROAD_CLASS_MAP(ITSI_X)
#undef ITSI_X
    };
    return (unsigned)cls < ITSI_ROAD_CLASS_COUNT ? names[cls] : "unknown";
}

int itsi_road_scene_find(const char *name)
{
    for (int i = 0; scenes[i]; i++)
        if (strcmp(name, scenes[i]) == 0)
            return i;
    return -1;
}

void itsi_road_params_default(struct itsi_road_params *params)
{
    *params = (struct itsi_road_params){.scene = "crossroads",
                                        .width = 1280,
                                        .height = 720,
                                        .fps = 25,
                                        .seed = 1,
                                        .weather = ITSI_WEATHER_CLEAR,
                                        .light = ITSI_LIGHT_DAY,
                                        .view = ITSI_VIEW_USUAL,
                                        .traffic = 1,
                                        .shake = 1,
                                        .noise = 1,
                                        .timecode = true};
}

/* Index of the word, or -1 with all allowed words in diag. */
static int choose(const char *key, const char *value, const char *const *words, struct its_diag *diag)
{
    char all[128] = "";
    for (int i = 0; words[i]; i++) {
        if (strcmp(value, words[i]) == 0)
            return i;
        if (i > 0)
            strncat(all, ", ", sizeof all - strlen(all) - 1);
        strncat(all, words[i], sizeof all - strlen(all) - 1);
    }
    itsi_fail(diag, ITS_EINVAL, "synthetic road: %s=%s: allowed are %s", key, value, all);
    return -1;
}

static int number(const char *key, const char *value, double lo, double hi, double *out, struct its_diag *diag)
{
    char *end;
    double v = strtod(value, &end);
    if (end == value || *end || !(v >= lo && v <= hi))
        return itsi_fail(diag, ITS_EINVAL, "synthetic road: %s=%s: allowed are numbers from %g to %g", key, value, lo,
                         hi);
    *out = v;
    return 0;
}

static int size(struct itsi_road_params *p, const char *value, struct its_diag *diag)
{
    char *end;
    long w = strtol(value, &end, 10), h = 0;
    bool good = end != value && *end == 'x';
    if (good) {
        const char *second = end + 1;
        h = strtol(second, &end, 10);
        good = end != second && *end == '\0';
    }
    if (!good || w < 64 || w > 4096 || h < 64 || h > 4096 || w % 2 || h % 2)
        return itsi_fail(diag, ITS_EINVAL,
                         "synthetic road: size=%s: allowed is WIDTHxHEIGHT, both even and from 64 to 4096", value);
    p->width = (int)w;
    p->height = (int)h;
    return 0;
}

static int seed(struct itsi_road_params *p, const char *value, struct its_diag *diag)
{
    char *end;
    unsigned long long v = strtoull(value, &end, 10);
    if (strspn(value, "0123456789") != strlen(value) || end == value || strlen(value) > 19)
        return itsi_fail(diag, ITS_EINVAL, "synthetic road: seed=%s: allowed are whole numbers of up to 19 digits",
                         value);
    p->seed = v;
    return 0;
}

enum {
    KEY_SIZE,
    KEY_FPS,
    KEY_SEED,
    KEY_WEATHER,
    KEY_LIGHT,
    KEY_VIEW,
    KEY_TRAFFIC,
    KEY_MIX,
    KEY_SHAKE,
    KEY_NOISE,
    KEY_TIMECODE,
    KEY_PLAYER
};
static const struct {
    const char *name;
    int key;
} keys[] = {{"size", KEY_SIZE},   {"fps", KEY_FPS},           {"seed", KEY_SEED},       {"weather", KEY_WEATHER},
            {"light", KEY_LIGHT}, {"view", KEY_VIEW},         {"traffic", KEY_TRAFFIC}, {"mix", KEY_MIX},
            {"shake", KEY_SHAKE}, {"noise", KEY_NOISE},       {"timecode", KEY_TIMECODE}, {"seconds", KEY_PLAYER},
            {"pace", KEY_PLAYER}, {"loop", KEY_PLAYER}};

static int apply(struct itsi_road_params *p, int key, const char *name, const char *value, struct its_diag *diag)
{
    int word;
    switch (key) {
    case KEY_SIZE:
        return size(p, value, diag);
    case KEY_FPS:
        return number(name, value, 1, 120, &p->fps, diag);
    case KEY_SEED:
        return seed(p, value, diag);
    case KEY_WEATHER:
        word = choose(name, value, weathers, diag);
        p->weather = word < 0 ? p->weather : (enum itsi_road_weather)word;
        return word < 0 ? ITS_EINVAL : 0;
    case KEY_LIGHT:
        word = choose(name, value, lights, diag);
        p->light = word < 0 ? p->light : (enum itsi_road_light)word;
        return word < 0 ? ITS_EINVAL : 0;
    case KEY_VIEW:
        word = choose(name, value, views, diag);
        p->view = word < 0 ? p->view : (enum itsi_road_view)word;
        return word < 0 ? ITS_EINVAL : 0;
    case KEY_TRAFFIC:
        return number(name, value, 0, 4, &p->traffic, diag);
    case KEY_MIX:
        return number(name, value, 0, 1, &p->mix, diag);
    case KEY_SHAKE:
        return number(name, value, 0, 10, &p->shake, diag);
    case KEY_NOISE:
        return number(name, value, 0, 10, &p->noise, diag);
    case KEY_TIMECODE:
        word = choose(name, value, switches, diag);
        p->timecode = word == 1;
        return word < 0 ? ITS_EINVAL : 0;
    default:
        return 0;
    }
}

/* One "name=value" of the query. */
static int pair(struct itsi_road_params *p, const struct itsi_url *url, const char *text, size_t len,
                struct its_diag *diag)
{
    char name[32], value[128];
    size_t n = 0;
    while (n < len && text[n] != '=')
        n++;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strlen(keys[i].name) != n || strncmp(keys[i].name, text, n) != 0)
            continue;
        memcpy(name, text, n);
        name[n] = '\0';
        value[0] = '\0';
        if (itsi_url_param(url, name, value, sizeof value) < 0)
            return itsi_fail(diag, ITS_EINVAL, "synthetic road: the value of %s is too long", name);
        return apply(p, keys[i].key, name, value, diag);
    }
    return itsi_fail(diag, ITS_EINVAL,
                     "synthetic road: unknown key '%.*s': allowed are size, fps, seed, weather, light, view, traffic, "
                     "mix, shake, noise, timecode, seconds, pace, loop",
                     (int)(n < 64 ? n : 64), text);
}

int itsi_road_params_parse(struct itsi_road_params *params, const char *text, struct its_diag *diag)
{
    struct itsi_url url;
    int rc = itsi_url_parse(&url, text, diag);
    if (rc < 0)
        return rc;
    if (strcmp(url.scheme, "synth") != 0)
        return itsi_fail(diag, ITS_EINVAL, "synthetic road: the URL starts with '%s://', not synth://", url.scheme);
    if (url.path[0] != '\0' && strcmp(url.path, "/") != 0)
        return itsi_fail(diag, ITS_EINVAL, "synthetic road: nothing may follow the scene, but '%s' does", url.path);
    struct itsi_road_params p;
    itsi_road_params_default(&p);
    int scene = choose("scene", url.host, scenes, diag);
    if (scene < 0)
        return ITS_EINVAL;
    strcpy(p.scene, scenes[scene]);
    for (const char *at = url.query; *at;) {
        size_t len = strcspn(at, "&");
        if (len > 0 && (rc = pair(&p, &url, at, len, diag)) < 0)
            return rc;
        at += at[len] ? len + 1 : len;
    }
    *params = p;
    return 0;
}
