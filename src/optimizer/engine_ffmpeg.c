/* FFmpeg for callers of the public engine. */
#include "optimizer/engine.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "pool/ffmpeg_call.h"

#include <string.h>

struct its_ffmpeg_run {
    struct itsi_ffmpeg_call call;
};

/* Whole command lines name the program first. */
static bool names_program(const char *argument)
{
    const char *name = strrchr(argument, '/');
    return strcmp(name ? name + 1 : argument, "ffmpeg") == 0;
}

static int check(const char *const *arguments, int32_t count, int32_t timeout_ms, int64_t output_limit,
                 struct its_diag *diag)
{
    if (count < 1 || count > ITSI_FFMPEG_ARGUMENTS)
        return itsi_fail(diag, ITS_EINVAL, "ffmpeg: %d arguments, allowed are 1 to %d", count, ITSI_FFMPEG_ARGUMENTS);
    for (int32_t i = 0; i < count; i++)
        if (!arguments[i])
            return itsi_fail(diag, ITS_EINVAL, "ffmpeg: argument %d is NULL", i);
    if (timeout_ms < 0 || output_limit < 0)
        return itsi_fail(diag, ITS_EINVAL, "ffmpeg: a negative timeout or limit");
    return 0;
}

int its_engine_execute_ffmpeg(its_engine *engine, const char *const *arguments, int32_t count, int32_t timeout_ms,
                              int64_t output_limit, its_ffmpeg_run **out, struct its_diag *diag)
{
    int rc = check(arguments, count, timeout_ms, output_limit, diag);
    if (rc)
        return rc;
    const char **vector = itsi_calloc((size_t)count + 1, sizeof *vector); /* NULL at its end */
    its_ffmpeg_run *run = vector ? itsi_zalloc(sizeof *run) : NULL;
    if (!run) {
        itsi_free(vector);
        return itsi_fail(diag, ITS_ENOMEM, "ffmpeg: out of memory");
    }
    const int32_t skipped = names_program(arguments[0]);
    memcpy(vector, arguments + skipped, (size_t)(count - skipped) * sizeof *vector);
    run->call = (struct itsi_ffmpeg_call){
        .arguments = vector,
        .owner = {"engine", "execute_ffmpeg", 0},
        .deadline = timeout_ms ? itsi_now_ns() + timeout_ms * ITSI_NS_PER_MS : ITSI_NEVER,
        .output_limit = (size_t)output_limit,
    };
    rc = itsi_ffmpeg_call(itsi_pools_ffmpeg(itsi_engine_pools(engine)), &run->call, diag);
    run->call.arguments = NULL;
    itsi_free(vector);
    if (rc)
        its_ffmpeg_run_release(run);
    else
        *out = run;
    return rc;
}

void its_ffmpeg_run_release(its_ffmpeg_run *run)
{
    if (!run)
        return;
    itsi_ffmpeg_call_fini(&run->call);
    itsi_free(run);
}

static const char *text_of(const struct itsi_buf *buf) { return buf->data ? buf->data : ""; }

const char *its_ffmpeg_run_outcome(const its_ffmpeg_run *run) { return itsi_ffmpeg_outcome_name(run->call.outcome); }
int its_ffmpeg_run_code(const its_ffmpeg_run *run) { return run->call.code; }
const char *its_ffmpeg_run_error(const its_ffmpeg_run *run) { return text_of(&run->call.error); }
int32_t its_ffmpeg_run_exit_code(const its_ffmpeg_run *run) { return run->call.exit_code; }
int32_t its_ffmpeg_run_signal(const its_ffmpeg_run *run) { return run->call.signal; }
double its_ffmpeg_run_seconds(const its_ffmpeg_run *run) { return run->call.seconds; }
const char *its_ffmpeg_run_stderr(const its_ffmpeg_run *run) { return text_of(&run->call.lines); }

const void *its_ffmpeg_run_stdout(const its_ffmpeg_run *run, int64_t *size, int64_t *of)
{
    *size = (int64_t)run->call.output.len;
    if (of)
        *of = (int64_t)run->call.output_bytes;
    return text_of(&run->call.output);
}
