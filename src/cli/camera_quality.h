/* camera quality ID: what is done for a camera, and an operator's word on it. */
#ifndef ITSI_CLI_CAMERA_QUALITY_H
#define ITSI_CLI_CAMERA_QUALITY_H

#include "cli/daemon.h"

#include <stdbool.h>

struct itsi_quality_wish {
    const char *pin, *boost; /* a level's name or "none"; NULL: as it is */
    double seconds;          /* how long the boost holds; 0: not given */
};

/* Asks for it, if anything, and prints what holds then. Returns an exit code of cli.h. */
int itsi_camera_quality(const struct itsi_daemon *daemon, const char *id, const struct itsi_quality_wish *wish,
                        bool json);

#endif
