/* The cameras a configuration names. */
#ifndef ITSI_CONFIG_CAMERA_H
#define ITSI_CONFIG_CAMERA_H

#include "its/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define ITSI_CONFIG_CAMERA_ID_SIZE 65
#define ITSI_CONFIG_CAMERA_URL_SIZE 2048
#define ITSI_CONFIG_CAMERA_PRIORITY_MAX 9
#define ITSI_CONFIG_CAMERA_FPS_MAX 240.0
/* More than max_concurrent_streams can ever allow. */
#define ITSI_CONFIG_CAMERAS_MAX 1000

struct itsi_config_camera {
    char id[ITSI_CONFIG_CAMERA_ID_SIZE];
    char *url;             /* owned; holds its password: redact before showing */
    char *sub_url;         /* owned; NULL: none */
    int priority;          /* 0 ordinary .. 9 most important */
    double fps;            /* expected; 0: unknown */
    json_t *url_given;     /* as written: text or a reference (config/secret.h); sub_url_given may be NULL */
    json_t *sub_url_given;
    bool from_command_line;
};

struct itsi_config_cameras {
    struct itsi_config_camera *items; /* owned */
    size_t count;
};

/* [A-Za-z0-9_.-]{1,64}, but not "." or "..", which URLs' paths swallow. */
bool itsi_camera_id_valid(const char *id);

/* Appends what a file's "cameras" holds. Messages begin with "cameras[2]". */
ITS_NODISCARD int itsi_config_cameras_parse(struct itsi_config_cameras *cameras, const json_t *array, const char *dir,
                                            char *const *env, struct its_diag *diag);
/* Appends one of "--camera [ID=]URL". */
ITS_NODISCARD int itsi_config_cameras_add_text(struct itsi_config_cameras *cameras, const char *text,
                                               struct its_diag *diag);
/* Gives cameras without an id the next free "camera_001" and refuses an id used twice. Call once all are in. */
ITS_NODISCARD int itsi_config_cameras_name(struct itsi_config_cameras *cameras, struct its_diag *diag);

const struct itsi_config_camera *itsi_config_cameras_find(const struct itsi_config_cameras *cameras, const char *id);
bool itsi_config_camera_equal(const struct itsi_config_camera *a, const struct itsi_config_camera *b);
void itsi_config_cameras_fini(struct itsi_config_cameras *cameras); /* takes zeroed */

#endif
