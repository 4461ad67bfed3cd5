/* An engine without a model: it takes the time it is told to and finds nothing. It measures the machinery around
 * inference, and it is the first implementation the conformance suite runs. */
#include "infer/slots.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/thread.h"

#include <stdio.h>

struct itsi_engine {
    /* const */
    struct itsi_engine_info info;
    int64_t base_ns, per_image_ns;
    size_t image_bytes;   /* of the largest size */
    double share[ITSI_ENGINE_SIZES]; /* of size 0's area */
    uint8_t *input;       /* slots x max_batch images */
    const float *zeros;   /* the output of every image; nobody writes it */
    bool instant;         /* no service time: no worker either */

    struct itsi_slots slots;

    /* worker */
    pthread_t worker;
    bool worker_runs;
    int64_t *ends_ns; /* per slot: when its service is over; 0: not running. Worker only. */

    /* mutex */
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool poked; /* something was submitted, or quit */
    bool quit;
};

static int probe(struct its_diag *diag)
{
    (void)diag;
    return 0;
}

/* Starts what may start; its service begins now. */
static void start_waiting(struct itsi_engine *engine)
{
    int slot;
    while ((slot = itsi_slots_start(&engine->slots)) >= 0) {
        const struct itsi_slot *s = &engine->slots.slot[slot];
        double service = (double)(engine->base_ns + engine->per_image_ns * s->images) * engine->share[s->size];
        engine->ends_ns[slot] = s->started_ns + (int64_t)service;
    }
}

/* Ends what is over at `now`. */
static void end_due(struct itsi_engine *engine, int64_t now)
{
    for (int i = 0; i < engine->info.slots; i++)
        if (engine->ends_ns[i] && engine->ends_ns[i] <= now) {
            engine->ends_ns[i] = 0;
            itsi_slots_finish(&engine->slots, i, 0);
        }
}

/* When the first of those that run is over; ITSI_NEVER: none runs. */
static int64_t next_end(const struct itsi_engine *engine)
{
    int64_t next = ITSI_NEVER;
    for (int i = 0; i < engine->info.slots; i++)
        if (engine->ends_ns[i] && engine->ends_ns[i] < next)
            next = engine->ends_ns[i];
    return next;
}

static void *work(void *arg)
{
    struct itsi_engine *engine = arg;
    for (;;) {
        end_due(engine, itsi_now_ns());
        start_waiting(engine);
        /* What is over by now is ended in the next round and not here: whoever ends one has to start the next. */
        const int64_t until = next_end(engine);
        pthread_mutex_lock(&engine->mutex);
        while (!engine->poked && !engine->quit && itsi_cond_wait_until(&engine->wake, &engine->mutex, until))
            ;
        engine->poked = false;
        bool quit = engine->quit;
        pthread_mutex_unlock(&engine->mutex);
        /* quit comes after the drain, so nothing runs then */
        if (quit)
            return NULL;
    }
}

static void poke(struct itsi_engine *engine, bool quit)
{
    pthread_mutex_lock(&engine->mutex);
    engine->poked = true;
    engine->quit |= quit;
    pthread_cond_signal(&engine->wake);
    pthread_mutex_unlock(&engine->mutex);
}

static void close_engine(struct itsi_engine *engine)
{
    if (!engine)
        return;
    if (engine->slots.slot)
        itsi_slots_drain(&engine->slots);
    if (engine->worker_runs) {
        poke(engine, true);
        pthread_join(engine->worker, NULL);
    }
    itsi_slots_fini(&engine->slots);
    pthread_cond_destroy(&engine->wake);
    pthread_mutex_destroy(&engine->mutex);
    itsi_free(engine->ends_ns);
    itsi_free((void *)engine->zeros);
    itsi_free(engine->input);
    itsi_free(engine);
}

static int check_size(int width, int height, struct its_diag *diag)
{
    if (width < 32 || height < 32 || width % 32 || height % 32 || width > 4096 || height > 4096)
        return itsi_fail(diag, ITS_EINVAL, "input size %dx%d: width and height must be multiples of 32 up to 4096", width,
                         height);
    return 0;
}

static int check_params(const struct itsi_engine_params *p, struct its_diag *diag)
{
    int rc = check_size(p->width, p->height, diag);
    if (rc == 0 && (p->more_count < 0 || p->more_count >= ITSI_ENGINE_SIZES))
        rc = itsi_fail(diag, ITS_EINVAL, "%d more input sizes (0..%d)", p->more_count, ITSI_ENGINE_SIZES - 1);
    for (int i = 0; rc == 0 && i < p->more_count; i++)
        rc = check_size(p->more[i].width, p->more[i].height, diag);
    if (rc != 0)
        return rc;
    if (p->max_batch < 1 || p->max_batch > 64 || p->parallel < 0 || p->parallel > 256)
        return itsi_fail(diag, ITS_EINVAL, "max_batch %d (1..64), parallel %d (0..256)", p->max_batch, p->parallel);
    if (p->classes < 0 || p->null_base_ns < 0 || p->null_per_image_ns < 0)
        return itsi_fail(diag, ITS_EINVAL, "negative class count or service time");
    return 0;
}

/* Strides 8, 16 and 32. */
static int anchors_of(struct itsi_input_size size) { return size.width / 32 * (size.height / 32) * (16 + 4 + 1); }

static int pixels_of(struct itsi_input_size size) { return size.width * size.height; }

static void describe(struct itsi_engine_info *info, const struct itsi_engine_params *p)
{
    int parallel = p->parallel ? p->parallel : 1;
    *info = (struct itsi_engine_info){
        .width = p->width,
        .height = p->height,
        .max_batch = p->max_batch,
        .slots = parallel + 2,
        .parallel = parallel,
        .rows = 4 + (p->classes ? p->classes : 80),
        .anchors = anchors_of((struct itsi_input_size){p->width, p->height}),
        .batch_efficient = parallel == 1,
    };
    itsi_engine_list_sizes(info, p);
    snprintf(info->backend, sizeof info->backend, "null");
    snprintf(info->device, sizeof info->device, "none (nothing is detected)");
    snprintf(info->precision, sizeof info->precision, "none");
}

static int open_engine(struct itsi_engine **out, const struct itsi_engine_params *params, struct its_diag *diag)
{
    int rc = check_params(params, diag);
    if (rc != 0)
        return rc;
    struct itsi_engine *engine = itsi_zalloc(sizeof *engine);
    if (!engine)
        return itsi_fail(diag, ITS_ENOMEM, "no memory for the null engine");
    pthread_mutex_init(&engine->mutex, NULL);
    itsi_cond_init(&engine->wake);
    describe(&engine->info, params);
    engine->base_ns = params->null_base_ns;
    engine->per_image_ns = params->null_per_image_ns;
    engine->instant = !engine->base_ns && !engine->per_image_ns;
    const struct itsi_engine_info *info = &engine->info;
    struct itsi_input_size largest = info->sizes[0];
    for (int i = 0; i < info->size_count; i++) {
        engine->share[i] = (double)pixels_of(info->sizes[i]) / pixels_of(info->sizes[0]);
        if (pixels_of(info->sizes[i]) > pixels_of(largest))
            largest = info->sizes[i];
        for (int w = 0; w < ITSI_WARM_SIZES && 1 << w <= params->max_batch; w++) {
            const double run = (double)(engine->base_ns + engine->per_image_ns * (1 << w));
            engine->info.warm_ns[i][w] = (int64_t)(run * engine->share[i]);
        }
    }
    engine->image_bytes = (size_t)pixels_of(largest) * 3;
    engine->input = itsi_alloc_aligned(64, engine->image_bytes * (size_t)params->max_batch * (size_t)info->slots);
    engine->zeros = itsi_calloc((size_t)info->rows * (size_t)anchors_of(largest), sizeof(float));
    engine->ends_ns = itsi_calloc((size_t)info->slots, sizeof(int64_t));
    if (!engine->input || !engine->zeros || !engine->ends_ns)
        rc = itsi_fail(diag, ITS_ENOMEM, "no memory for %d slots of %d images", info->slots, info->max_batch);
    if (rc == 0)
        rc = itsi_slots_init(&engine->slots, info->slots, info->parallel, diag);
    if (rc == 0 && !engine->instant) {
        rc = itsi_thread_start(&engine->worker, "its-null", work, engine, diag);
        engine->worker_runs = rc == 0;
    }
    if (rc != 0) {
        close_engine(engine);
        return rc;
    }
    *out = engine;
    return 0;
}

static const struct itsi_engine_info *get_info(struct itsi_engine *engine) { return &engine->info; }

static uint8_t *input(struct itsi_engine *engine, int slot, int image)
{
    return engine->input + engine->image_bytes * ((size_t)slot * (size_t)engine->info.max_batch + (size_t)image);
}

static void output(struct itsi_engine *engine, int slot, int image, struct itsi_output_tensor *out)
{
    (void)image;
    const struct itsi_engine_info *info = &engine->info;
    *out = (struct itsi_output_tensor){engine->zeros, info->rows,
                                       anchors_of(info->sizes[engine->slots.slot[slot].size])};
}

static int resize(struct itsi_engine *engine, int slot, int size)
{
    return itsi_slots_resize(&engine->slots, slot, size, engine->info.size_count);
}

static int acquire(struct itsi_engine *engine) { return itsi_slots_acquire(&engine->slots); }

static int submit(struct itsi_engine *engine, int slot, int images)
{
    if (engine->instant)
        return itsi_slots_pass(&engine->slots, slot, images, engine->info.max_batch);
    int rc = itsi_slots_submit(&engine->slots, slot, images, engine->info.max_batch);
    if (rc == 0)
        poke(engine, false);
    return rc;
}

static int collect(struct itsi_engine *engine, int64_t until_ns, struct itsi_completion *out)
{
    return itsi_slots_collect(&engine->slots, until_ns, out);
}

static void release(struct itsi_engine *engine, int slot) { itsi_slots_release(&engine->slots, slot); }
static void stop(struct itsi_engine *engine) { itsi_slots_stop(&engine->slots); }

const struct itsi_backend itsi_backend_null = {
    .api_version = ITSI_BACKEND_API,
    .name = "null",
    .probe = probe,
    .open = open_engine,
    .info = get_info,
    .resize = resize,
    .input = input,
    .output = output,
    .acquire = acquire,
    .submit = submit,
    .collect = collect,
    .release = release,
    .stop = stop,
    .close = close_engine,
};
