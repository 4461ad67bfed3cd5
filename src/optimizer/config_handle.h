/* The inside of the public configuration handle. */
#ifndef ITSI_OPTIMIZER_CONFIG_HANDLE_H
#define ITSI_OPTIMIZER_CONFIG_HANDLE_H

#include "config/args.h"
#include "its/its.h"

/* What it says to read; borrowed. */
const struct itsi_config_args *itsi_config_handle_args(const its_config *config);

#endif
