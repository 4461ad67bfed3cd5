#include "cli/cli.h"

#include "its/its.h"

#include <stdio.h>
#include <string.h>

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"serve", itsi_cmd_serve, "watch cameras: detections, dashboard, API"},
    {"camera", itsi_cmd_camera, "add, list, remove or probe cameras"},
    {"model", itsi_cmd_model, "describe a model file"},
    {"config", itsi_cmd_config, "show, validate, explain or compare configurations"},
    {"performance", itsi_cmd_performance, "status and monitor of a running system, benchmark"},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void usage(FILE *out)
{
    fputs("usage: its-camera-ai COMMAND [ARGUMENTS]\n\n", out);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-14s %s\n", commands[i].name, commands[i].summary);
    fputs("\nits-camera-ai COMMAND --help tells more. Exit codes: 0 done, 1 failed, 2 bad usage or input,\n"
          "3 no daemon answers.\n",
          out);
}

int main(int argc, char **argv)
{
    if (argc >= 2) {
        for (int i = 0; i < COMMANDS; i++)
            if (strcmp(argv[1], commands[i].name) == 0)
                return commands[i].run(argc - 1, argv + 1);
        if (strcmp(argv[1], "--version") == 0) {
            printf("its-camera-ai %s\n", its_version());
            return ITSI_EXIT_OK;
        }
        if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
            usage(stdout);
            return ITSI_EXIT_OK;
        }
        fputs("its-camera-ai: unknown command ", stderr);
        itsi_say_argument(argv[1]);
        fputs("\n\n", stderr);
    }
    usage(stderr);
    return ITSI_EXIT_USAGE;
}
