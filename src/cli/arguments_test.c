#include "support/check.h"
#include "support/command_run.h"

#include "cli/cli.h"

struct mistake {
    int (*command)(int argc, char **argv);
    const char *name;
    const char *words[5];
    const char *said; /* on stderr */
};

static const struct mistake mistakes[] = {
    {itsi_cmd_camera, "camera", {NULL}, "camera: needs one of add, list, remove, quality, probe"},
    {itsi_cmd_camera, "camera", {"watch", "gate"}, "camera: 'watch' is none of its commands: add, list, remove, quality, probe"},
    {itsi_cmd_camera, "camera", {"add"}, "camera add: needs a camera: [ID=]URL"},
    {itsi_cmd_camera, "camera", {"remove"}, "camera remove: needs a camera id"},
    {itsi_cmd_camera, "camera", {"quality"}, "camera quality: needs a camera id"},
    {itsi_cmd_camera, "camera", {"quality", "--pin", "low"}, "camera quality: needs a camera id"},
    {itsi_cmd_camera, "camera", {"probe"}, "camera probe: needs the URL of a camera"},
    {itsi_cmd_camera, "camera", {"list", "gate"}, "camera list: 'gate' is one argument too many"},
    {itsi_cmd_camera, "camera", {"quality", "gate", "yard"}, "camera quality: 'yard' is one argument too many"},
    {itsi_cmd_camera, "camera", {"add", "gate", "rtsp://me:s3cret@cam/live"},
     "camera add: 'rtsp://me:***@cam/live' is one argument too many"},
    {itsi_cmd_camera, "camera", {"gate=rtsp://me:s3cret@cam/live?token=t0ken"},
     "camera: 'gate=rtsp://me:***@cam/live?token=***' is none of its commands"},
    {itsi_cmd_config, "config", {NULL}, "config: needs one of show, validate, explain, diff, schema"},
    {itsi_cmd_config, "config", {"validate"}, "config validate: needs a configuration file"},
    {itsi_cmd_config, "config", {"explain"}, "config explain: needs the key of an option"},
    {itsi_cmd_config, "config", {"diff"}, "config diff: needs a file or strategy"},
    {itsi_cmd_config, "config", {"diff", "minimal", "balanced", "x"}, "config diff: 'x' is one argument too many"},
    {itsi_cmd_config, "config", {"show", "x"}, "config show: 'x' is one argument too many"},
    {itsi_cmd_config, "config", {"schema", "x"}, "config schema: 'x' is one argument too many"},
    {itsi_cmd_model, "model", {NULL}, "model: needs one of info"},
    {itsi_cmd_model, "model", {"info"}, "model info: needs a model file"},
    {itsi_cmd_model, "model", {"info", "a", "b"}, "model info: 'b' is one argument too many"},
    {itsi_cmd_performance, "performance", {NULL}, "performance: needs one of status, monitor, benchmark"},
    {itsi_cmd_performance, "performance", {"status", "x"}, "performance status: 'x' is one argument too many"},
};

/* In one line, with where to read on, and as bad usage. */
static void what_is_missing_or_too_much_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        char see[64];
        const struct mistake *m = &mistakes[i];
        const struct output *output = run_command(m->command, m->name, m->words);
        assert_int_equal(output->code, ITSI_EXIT_USAGE);
        assert_string_equal(output->out, "");
        CHECK_CONTAINS(output->err, m->said);
        snprintf(see, sizeof see, "(see its-camera-ai %s --help)\n", m->name);
        CHECK_CONTAINS(output->err, see);
        assert_ptr_equal(strchr(output->err, '\n'), output->err + strlen(output->err) - 1);
    }
}

static void operands_may_be_left_out_where_a_verb_says_so(void **state)
{
    (void)state;
    static const struct itsi_verb verbs[] = {{"one", {"a thing"}, 1}, {"two", {"a thing", "another"}, 1}};
    char one[] = "one", two[] = "two", thing[] = "x";
    assert_int_equal(itsi_verb_find("c", verbs, 2, (char *const[]){one, thing}, 2), 0);
    assert_int_equal(itsi_verb_find("c", verbs, 2, (char *const[]){two, thing}, 2), 1);
    assert_int_equal(itsi_verb_find("c", verbs, 2, (char *const[]){two, thing, thing}, 3), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_or_too_much_is_named),
        cmocka_unit_test(operands_may_be_left_out_where_a_verb_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
