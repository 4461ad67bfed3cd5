/* The command line: one file per subcommand, one table in main.c. */
#ifndef ITSI_CLI_CLI_H
#define ITSI_CLI_CLI_H

#include <stdbool.h>

/* Documented exit codes of every command. */
enum {
    ITSI_EXIT_OK = 0,
    ITSI_EXIT_FAILURE = 1, /* the work failed; the reason is on stderr */
    ITSI_EXIT_USAGE = 2,   /* bad arguments, options, configuration or input file */
    ITSI_EXIT_NOT_RUNNING = 3, /* no daemon answers at --url */
    ITSI_EXIT_HANGS = 4        /* serve, benchmark: at the end something never ended; stderr says what */
};

/* argv[0] is the subcommand's own name, so getopt_long works on (argc, argv) as it is. Results go to stdout, messages to
 * stderr as "its-camera-ai: what: why". */
int itsi_cmd_serve(int argc, char **argv);
int itsi_cmd_camera(int argc, char **argv);
int itsi_cmd_model(int argc, char **argv);
int itsi_cmd_config(int argc, char **argv);
int itsi_cmd_performance(int argc, char **argv);

/* All of text is a number from min to max; NaN never is. */
bool itsi_parse_number(const char *text, double min, double max, double *out);

/* To stderr, in quotation marks; the passwords of an address in it are hidden. */
void itsi_say_argument(const char *text);

/* A verb of a command, and what must stand behind it. */
struct itsi_verb {
    const char *name;
    const char *operands[2]; /* what each is, to those who left it out: "a camera id"; NULL: it takes no more */
    int required;            /* so many of them, the rest may be left out */
};

/* Which of the verbs words[0] names, if it has the operands it needs and no more. -1: not so, and stderr says what is missing,
 * unknown or too much; the command then ends with ITSI_EXIT_USAGE. */
int itsi_verb_find(const char *command, const struct itsi_verb *verbs, int verb_count, char *const *words, int count);

/* The exit code for a failure of the library: 2 where the user's input is to be mended, else 1. */
int itsi_exit_code(int code);

/* Every option of the table with its default, range and help, to stdout. */
void itsi_print_option_help(void);

#endif
