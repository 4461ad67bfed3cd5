/* ITS Camera AI: live cameras in, YOLO detections out, in time.
 *
 *     its_config *config;   its_config_create(&config, &diag);
 *     its_config_set(config, "model", "yolo11n.onnx", &diag);
 *     its_engine *engine;   its_engine_create(&engine, config, &diag);
 *     its_engine_start(engine, &diag);
 *     its_engine_add_camera(engine, "gate", "rtsp://user:pw@10.0.0.7/live", &diag);
 *     while (its_engine_next(engine, 1000, &result) == 0) { ... its_result_release(result); }
 *
 * Made for C and for ctypes alike: opaque handles, fixed-width integers, no structures by value, no callbacks from threads
 * of the library; settings by key, statistics as JSON text. Every function is thread-safe except that a handle is
 * destroyed once, by one thread, when no other uses it. A handle must not be used after fork(). Functions return 0 or a
 * negative ITS_E* code; diag (may be NULL) then holds the reason. Out-parameters are written on success only. */
#ifndef ITS_ITS_H
#define ITS_ITS_H

#include "its/error.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct its_config its_config;
typedef struct its_engine its_engine;
typedef struct its_result its_result;
typedef struct its_ffmpeg_run its_ffmpeg_run;

/* "0.1.0"; static. */
ITS_API const char *its_version(void);
/* Frees text the library handed out. Takes NULL. */
ITS_API void its_string_free(char *text);

/* --- configuration ------------------------------------------------------------------------------------------------ */

/* Defaults, then the strategy, then PERFORMANCE__* of the environment. */
ITS_API ITS_NODISCARD int its_config_create(its_config **out, struct its_diag *diag);
ITS_API void its_config_destroy(its_config *config); /* takes NULL */
/* Names a JSON file, which is read and checked by its_config_json and its_engine_create; it wins over defaults and
 * strategy, the environment and its_config_set win over it. */
ITS_API ITS_NODISCARD int its_config_load(its_config *config, const char *path, struct its_diag *diag);
/* key: "section.field", or "field" for the top level; value as text ("32", "true", "int8", "a,b"). */
ITS_API ITS_NODISCARD int its_config_set(its_config *config, const char *key, const char *value,
                                         struct its_diag *diag);
/* The effective configuration as JSON, secrets hidden. Caller frees with its_string_free. */
ITS_API ITS_NODISCARD int its_config_json(const its_config *config, char **out, struct its_diag *diag);

/* --- engine -------------------------------------------------------------------------------------------------------- */

/* Loads and warms the model; cameras of the configuration are added. The configuration is copied: the caller keeps it.
 * Without "model" the shipped detector runs, where it is installed; else the backend must be "null" by name. */
ITS_API ITS_NODISCARD int its_engine_create(its_engine **out, const its_config *config, struct its_diag *diag);
ITS_API ITS_NODISCARD int its_engine_start(its_engine *engine, struct its_diag *diag);
/* Stops the cameras, lets frames in flight end within drain_ms, joins all threads. Idempotent. */
ITS_API void its_engine_stop(its_engine *engine, int32_t drain_ms);
ITS_API void its_engine_destroy(its_engine *engine); /* takes NULL; stops first */

/* id: [A-Za-z0-9_.-]{1,64}, or NULL for the next free "camera_001". url: rtsp, rtsps, http, https, file or a path,
 * synth, null. Never waits for the camera. */
ITS_API ITS_NODISCARD int its_engine_add_camera(its_engine *engine, const char *id, const char *url,
                                                struct its_diag *diag);
ITS_API ITS_NODISCARD int its_engine_remove_camera(its_engine *engine, const char *id, struct its_diag *diag);

/* The next result of any camera, from the first call on: 0 (release it), ITS_EAGAIN after timeout_ms, ITS_EEOF when the
 * engine has stopped and nothing is left. Call it once before its_engine_start to miss none. A caller that falls behind loses the oldest results, never the newest. */
ITS_API ITS_NODISCARD int its_engine_next(its_engine *engine, int32_t timeout_ms, its_result **out);
/* Status and statistics as JSON. Caller frees with its_string_free. */
ITS_API ITS_NODISCARD int its_engine_stats_json(its_engine *engine, char **out, struct its_diag *diag);

/* --- results: valid until released ---------------------------------------------------------------------------------- */

ITS_API void its_result_release(its_result *result); /* takes NULL */
ITS_API const char *its_result_camera(const its_result *result);
ITS_API uint64_t its_result_sequence(const its_result *result);
ITS_API int64_t its_result_capture_time_ns(const its_result *result); /* wall clock, since 1970 */
ITS_API double its_result_latency_ms(const its_result *result);       /* end to end */
ITS_API int32_t its_result_late(const its_result *result);            /* 1: handed over after its deadline */
ITS_API int32_t its_result_width(const its_result *result);           /* of the picture, pixels */
ITS_API int32_t its_result_height(const its_result *result);
ITS_API int32_t its_result_count(const its_result *result);
/* Box i (0 .. count-1): corners[4] = x1, y1, x2, y2 in pixels; score 0..1; class index. ITS_EINVAL outside. */
ITS_API ITS_NODISCARD int its_result_box(const its_result *result, int32_t i, float corners[4], float *score,
                                         int32_t *class_index);
/* Name of a class; NULL outside. Valid for the engine's life. */
ITS_API const char *its_engine_class_name(its_engine *engine, int32_t class_index);

/* --- FFmpeg ---------------------------------------------------------------------------------------------------------- */

/* Runs FFmpeg in a process of the engine's pool and waits until it ends. arguments: `count` words; the program's name may
 * come first or be left out; no shell sees them, and words with passwords in URLs show neither in the process list nor in
 * logs. timeout_ms bounds waiting for a free process and the run together; 0: ffmpeg_process_timeout, for the run alone.
 * At most output_limit bytes of what it writes to stdout are kept; its stdin is empty. As long as ffmpeg_max_concurrent
 * runs go on, others wait their turn.
 * 0: it ran, however it ended (release it). Otherwise it did not: ITS_EREFUSED: FFmpeg cannot be started here; ITS_ETIMEOUT: no
 * process was free in time; ITS_ELIMIT: too many wait; ITS_EUNSUPPORTED: a secret would show; ITS_EINVAL; ITS_ENOMEM.
 * Whoever chooses the arguments reads and writes files, and talks to the network, as this process may: never take them
 * from strangers. */
ITS_API ITS_NODISCARD int its_engine_execute_ffmpeg(its_engine *engine, const char *const *arguments, int32_t count,
                                                    int32_t timeout_ms, int64_t output_limit, its_ffmpeg_run **out,
                                                    struct its_diag *diag);
ITS_API void its_ffmpeg_run_release(its_ffmpeg_run *run); /* takes NULL; what follows is valid until then */
/* "done"; "failed": its exit code is not 0; "crashed"; "killed": for its time, its memory, or because it hung;
 * "limited": by a bound on its memory, processor time or files, which the error names; "lost": with the process that ran it. */
ITS_API const char *its_ffmpeg_run_outcome(const its_ffmpeg_run *run);
ITS_API int its_ffmpeg_run_code(const its_ffmpeg_run *run); /* 0: done; ITS_ETIMEOUT: its time was over; another ITS_E* */
ITS_API const char *its_ffmpeg_run_error(const its_ffmpeg_run *run); /* for a person; empty when done */
ITS_API int32_t its_ffmpeg_run_exit_code(const its_ffmpeg_run *run); /* -1: it has none */
ITS_API int32_t its_ffmpeg_run_signal(const its_ffmpeg_run *run);    /* that ended it; 0: none */
ITS_API double its_ffmpeg_run_seconds(const its_ffmpeg_run *run);
ITS_API const char *its_ffmpeg_run_stderr(const its_ffmpeg_run *run); /* its last lines */
/* What is kept of its stdout; never NULL. size: of it; of (may be NULL): of all that was written. */
ITS_API const void *its_ffmpeg_run_stdout(const its_ffmpeg_run *run, int64_t *size, int64_t *of);

#ifdef __cplusplus
}
#endif
#endif
