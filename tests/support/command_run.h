/* A subcommand run in this process, for its unit test: what it printed, and its exit code. */
#ifndef ITS_TESTS_COMMAND_RUN_H
#define ITS_TESTS_COMMAND_RUN_H

#include "support/check.h"

#include <unistd.h>

struct output {
    int code;
    char out[262144], err[4096];
};

static inline void slurp(FILE *file, char *text, size_t size)
{
    fflush(file);
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

/* args: NULL-terminated, borrowed; the command may reorder them but not write into them. The output is overwritten by the
 * next run. */
static inline struct output *run_command(int (*command)(int argc, char **argv), const char *name, const char *const *args)
{
    static struct output output;
    char *argv[32] = {(char *)name};
    int argc = 1;
    for (; args[argc - 1]; argc++) {
        assert_true(argc < 31);
        argv[argc] = (char *)args[argc - 1];
    }
    FILE *out = tmpfile(), *err = tmpfile();
    assert_true(out && err);
    fflush(NULL);
    const int saved_out = dup(STDOUT_FILENO), saved_err = dup(STDERR_FILENO);
    dup2(fileno(out), STDOUT_FILENO);
    dup2(fileno(err), STDERR_FILENO);
    output.code = command(argc, argv);
    fflush(NULL);
    dup2(saved_out, STDOUT_FILENO);
    dup2(saved_err, STDERR_FILENO);
    close(saved_out);
    close(saved_err);
    slurp(out, output.out, sizeof output.out);
    slurp(err, output.err, sizeof output.err);
    return &output;
}

#endif
