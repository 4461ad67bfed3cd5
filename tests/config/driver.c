/* `its-camera-ai config` by itself, so that its tests build and run without the rest of the program. */
#include "cli/cli.h"

int main(int argc, char **argv) { return itsi_cmd_config(argc, argv); }
