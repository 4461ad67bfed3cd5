/* camera add|list|remove|quality: asks the daemon. camera probe: looks at a camera from here. */
#include "cli/camera_quality.h"
#include "cli/cli.h"
#include "cli/daemon.h"

#include "base/json.h"
#include "base/url.h"
#include "capture/capture.h"
#include "config/camera.h"
#include "config/config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help_text[] =
    "usage: its-camera-ai camera add [ID=]URL [--priority N] [--fps N]   watch one more camera\n"
    "       its-camera-ai camera list [--format table|json]              cameras and their state\n"
    "       its-camera-ai camera remove ID                               stop watching one\n"
    "       its-camera-ai camera quality ID [--pin LEVEL|none] [--boost LEVEL|none --seconds S]\n"
    "                                      [--format table|json]         what is done for one, and fixing or raising it\n"
    "       its-camera-ai camera probe URL [--seconds S] [--transport tcp|udp] [--ca-file FILE] [--insecure]\n"
    "                                      [--format table|json]         what a camera sends\n"
    "\n"
    "A pin holds until it is taken back, whatever the load; a boost is at least that level for S seconds. Levels:\n"
    "ultra_low, low, medium, high, ultra_high.\n"
    "\n"
    "add, list, remove and quality ask the daemon: --url URL (default " ITSI_DEFAULT_URL "), --token-file FILE\n"
    "(or PERFORMANCE__TOKEN). URLs: rtsp, rtsps, http, https, file or a path, synth, null.\n";

enum { PROBE_SECONDS = 5 };

struct options {
    struct itsi_daemon daemon;
    bool json, insecure;
    int priority;
    double fps, seconds; /* 0: not given */
    struct itsi_quality_wish quality;
    int transport; /* -1: as configured */
    const char *ca_file;
};

static int bad(const char *what, const char *value)
{
    fprintf(stderr, "its-camera-ai: camera: %s '%s'\n", what, value);
    return ITSI_EXIT_USAGE;
}

/* Reads the options; 0, or the exit code to end with. *done: --help was answered. */
static int parse(int argc, char **argv, struct options *o, bool *done)
{
    static const struct option known[] = {
        {"url", required_argument, 0, 'u'},       {"token-file", required_argument, 0, 't'},
        {"format", required_argument, 0, 'f'},    {"priority", required_argument, 0, 'p'},
        {"fps", required_argument, 0, 'r'},       {"seconds", required_argument, 0, 's'},
        {"transport", required_argument, 0, 'T'}, {"ca-file", required_argument, 0, 'c'},
        {"insecure", no_argument, 0, 'k'},        {"help", no_argument, 0, 'h'},
        {"pin", required_argument, 0, 'P'},       {"boost", required_argument, 0, 'B'},
        {0, 0, 0, 0}};
    struct its_diag diag;
    double number;
    itsi_daemon_init(&o->daemon);
    o->transport = -1;
    optind = 0; /* begin anew: other code may have used getopt before */
    for (int c; (c = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        switch (c) {
        case 'u':
            o->daemon.url = optarg;
            break;
        case 't':
            if (itsi_daemon_token_file(&o->daemon, optarg, &diag) != 0)
                return bad("--token-file:", diag.text);
            break;
        case 'f':
            if (strcmp(optarg, "json") != 0 && strcmp(optarg, "table") != 0)
                return bad("--format must be table or json, not", optarg);
            o->json = optarg[0] == 'j';
            break;
        case 'p':
            if (!itsi_parse_number(optarg, 0, 9, &number) || number != (int)number)
                return bad("--priority must be 0 to 9, not", optarg);
            o->priority = (int)number;
            break;
        case 'r':
            if (!itsi_parse_number(optarg, 0.1, 240, &o->fps))
                return bad("--fps must be 0.1 to 240, not", optarg);
            break;
        case 's':
            if (!itsi_parse_number(optarg, 0.1, 86400, &o->seconds))
                return bad("--seconds must be 0.1 to 86400, not", optarg);
            break;
        case 'T':
            if (strcmp(optarg, "tcp") != 0 && strcmp(optarg, "udp") != 0)
                return bad("--transport must be tcp or udp, not", optarg);
            o->transport = optarg[0] == 'u' ? ITSI_TRANSPORT_UDP : ITSI_TRANSPORT_TCP;
            break;
        case 'P':
            o->quality.pin = optarg;
            break;
        case 'B':
            o->quality.boost = optarg;
            break;
        case 'c':
            o->ca_file = optarg;
            break;
        case 'k':
            o->insecure = true;
            break;
        case 'h':
            fputs(help_text, stdout);
            *done = true;
            return ITSI_EXIT_OK;
        default:
            fputs(help_text, stderr);
            return ITSI_EXIT_USAGE;
        }
    }
    return ITSI_EXIT_OK;
}

/* "ID=URL" or "URL": an id ends at a '=' that comes before anything only a URL has. */
static const char *split_camera(const char *text, char id[ITSI_CAMERA_ID_SIZE])
{
    size_t len = strcspn(text, "=:/?");
    id[0] = '\0';
    if (text[len] != '=' || len >= ITSI_CAMERA_ID_SIZE)
        return text;
    memcpy(id, text, len);
    id[len] = '\0';
    return text + len + 1;
}

static int add(const struct options *o, const char *what)
{
    char id[ITSI_CAMERA_ID_SIZE];
    const char *url = split_camera(what, id);
    struct itsi_buf body;
    struct itsi_json json;
    itsi_buf_init(&body);
    itsi_json_init(&json, &body);
    itsi_json_object(&json, NULL);
    if (id[0])
        itsi_json_string(&json, "id", id);
    itsi_json_string(&json, "url", url);
    itsi_json_int(&json, "priority", o->priority);
    if (o->fps > 0)
        itsi_json_number(&json, "fps", o->fps, 3);
    itsi_json_end(&json, '}');
    json_t *answer = NULL;
    int rc = itsi_daemon_ask(&o->daemon, "POST", "/api/v1/cameras", body.data, &answer);
    if (rc == ITSI_EXIT_OK)
        printf("added %s\n", json_string_value(json_object_get(answer, "id")));
    json_decref(answer);
    itsi_buf_fini(&body);
    return rc;
}

static int remove_camera(const struct options *o, const char *id)
{
    char path[128];
    if (!itsi_camera_id_valid(id))
        return bad("remove: not a camera id:", id);
    snprintf(path, sizeof path, "/api/v1/cameras/%s", id);
    int rc = itsi_daemon_ask(&o->daemon, "DELETE", path, NULL, NULL);
    if (rc == ITSI_EXIT_OK)
        printf("removed %s\n", id);
    return rc;
}

static void print_camera(const json_t *camera)
{
    const char *state = json_string_value(json_object_get(camera, "state"));
    const char *error = json_string_value(json_object_get(camera, "last_error"));
    const json_t *age = json_object_get(camera, "age_ms");
    printf("%-24s %-12s %8.1f ", json_string_value(json_object_get(camera, "id")), state ? state : "?",
           json_number_value(json_object_get(camera, "analysed_fps")));
    if (json_is_number(age))
        printf("%9.0f  ", json_number_value(age));
    else
        printf("%9s  ", "-");
    printf("%s", json_string_value(json_object_get(camera, "url")));
    if (error && *error && state && strcmp(state, "running") != 0)
        printf("  (%s)", error);
    putchar('\n');
}

static int list(const struct options *o)
{
    json_t *answer = NULL;
    int rc = itsi_daemon_ask(&o->daemon, "GET", "/api/v1/cameras", NULL, &answer);
    if (rc == ITSI_EXIT_OK && o->json) {
        json_dumpf(answer, stdout, JSON_INDENT(2));
        putchar('\n');
    } else if (rc == ITSI_EXIT_OK) {
        const json_t *cameras = json_is_array(answer) ? answer : json_object_get(answer, "cameras");
        printf("%-24s %-12s %8s %9s  %s\n", "id", "state", "fps", "age ms", "url");
        for (size_t i = 0; i < json_array_size(cameras); i++)
            print_camera(json_array_get(cameras, i));
    }
    json_decref(answer);
    return rc;
}

static void probe_json(const struct itsi_probe_report *r, const char *url)
{
    struct itsi_buf buf;
    struct itsi_json json;
    itsi_buf_init(&buf);
    itsi_json_init(&json, &buf);
    itsi_json_object(&json, NULL);
    itsi_json_string(&json, "url", url);
    itsi_json_string(&json, "codec", r->codec);
    itsi_json_string(&json, "profile", r->profile);
    itsi_json_string(&json, "pixel_format", r->pixel_format);
    itsi_json_string(&json, "transport", r->transport);
    itsi_json_int(&json, "width", r->width);
    itsi_json_int(&json, "height", r->height);
    itsi_json_number(&json, "declared_fps", r->declared_fps, 3);
    itsi_json_number(&json, "measured_fps", r->measured_fps, 3);
    itsi_json_number(&json, "bitrate_kbps", r->bitrate_kbps, 1);
    itsi_json_int(&json, "gop", r->gop);
    itsi_json_int(&json, "b_frames", r->b_frames);
    itsi_json_bool(&json, "sender_reports", r->sender_reports);
    itsi_json_number(&json, "first_picture_ms", r->first_picture_ms, 1);
    itsi_json_number(&json, "jitter_ms_p95", r->jitter_ms_p95, 2);
    itsi_json_int(&json, "packets", (int64_t)r->packets);
    itsi_json_int(&json, "frames", (int64_t)r->frames);
    itsi_json_int(&json, "corrupt", (int64_t)r->corrupt);
    itsi_json_int(&json, "lost", (int64_t)r->lost);
    itsi_json_bool(&json, "can_meet_budget", r->can_meet_budget);
    itsi_json_string(&json, "note", r->note);
    itsi_json_end(&json, '}');
    puts(buf.data);
    itsi_buf_fini(&buf);
}

static void probe_table(const struct itsi_probe_report *r, const char *url)
{
    printf("%s\n", url);
    printf("  codec             %s %s, %s\n", r->codec, r->profile, r->pixel_format);
    printf("  transport         %s\n", r->transport);
    printf("  size              %dx%d\n", r->width, r->height);
    printf("  rate              %.2f frames/s measured, %.2f declared\n", r->measured_fps, r->declared_fps);
    printf("  bit rate          %.0f kbit/s\n", r->bitrate_kbps);
    if (r->gop > 0)
        printf("  key frames        every %d frames\n", r->gop);
    else
        printf("  key frames        fewer than two seen\n");
    printf("  B-frames          %s", r->b_frames ? "" : "none\n");
    if (r->b_frames)
        printf("reorder depth %d\n", r->b_frames);
    printf("  sender reports    %s\n", r->sender_reports ? "yes: capture time known" : "none: arrival time is used");
    printf("  first picture     %.0f ms after connecting\n", r->first_picture_ms);
    printf("  jitter            %.1f ms (95 %%)\n", r->jitter_ms_p95);
    printf("  frames            %llu (%llu corrupt, %llu lost)\n", (unsigned long long)r->frames,
           (unsigned long long)r->corrupt, (unsigned long long)r->lost);
    printf("  100 ms budget     %s%s%s\n", r->can_meet_budget ? "can be met" : "cannot be met",
           r->note[0] ? ": " : "", r->note);
}

static int probe(const struct options *o, const char *url)
{
    struct its_diag diag = {""};
    struct its_cfg cfg;
    if (its_cfg_init(&cfg, &diag) != 0)
        return ITSI_EXIT_FAILURE;
    struct its_cfg_capture capture = cfg.capture; /* strings borrowed */
    char ca_file[4096];
    if (o->transport >= 0)
        capture.rtsp_transport = o->transport;
    capture.tls_verify = capture.tls_verify && !o->insecure;
    if (o->ca_file) {
        snprintf(ca_file, sizeof ca_file, "%s", o->ca_file);
        capture.tls_ca_file = ca_file;
    }
    char shown[2048];
    itsi_url_redact(url, shown, sizeof shown);
    char cache_dir[4200];
    snprintf(cache_dir, sizeof cache_dir, "%s/cache", cfg.general.data_dir);
    struct itsi_probe_report report;
    int rc = itsi_capture_probe(&report, url, &capture, cache_dir, o->seconds > 0 ? o->seconds : PROBE_SECONDS, &diag);
    its_cfg_fini(&cfg);
    if (rc != 0) {
        fprintf(stderr, "its-camera-ai: probe: %s\n", diag.text);
        return itsi_exit_code(rc);
    }
    (o->json ? probe_json : probe_table)(&report, shown);
    return ITSI_EXIT_OK;
}

enum { ADD, LIST, REMOVE, QUALITY, PROBE, VERBS };
static const struct itsi_verb verbs[VERBS] = {
    [ADD] = {"add", {"a camera: [ID=]URL"}, 1},
    [LIST] = {"list", {NULL}, 0},
    [REMOVE] = {"remove", {"a camera id"}, 1},
    [QUALITY] = {"quality", {"a camera id"}, 1},
    [PROBE] = {"probe", {"the URL of a camera"}, 1},
};

int itsi_cmd_camera(int argc, char **argv)
{
    struct options o = {0};
    bool done = false;
    int rc = parse(argc, argv, &o, &done);
    if (rc != ITSI_EXIT_OK || done)
        return rc;
    char *const *words = argv + optind;
    switch (itsi_verb_find("camera", verbs, VERBS, words, argc - optind)) {
    case ADD:
        return add(&o, words[1]);
    case LIST:
        return list(&o);
    case REMOVE:
        return remove_camera(&o, words[1]);
    case QUALITY:
        o.quality.seconds = o.seconds;
        return itsi_camera_quality(&o.daemon, words[1], &o.quality, o.json);
    case PROBE:
        return probe(&o, words[1]);
    default:
        return ITSI_EXIT_USAGE;
    }
}
