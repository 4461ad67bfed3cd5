#include "capture/assemble.h"

#include <string.h>

/* As much as libav's decoders may read beyond the end. */
#define PADDING 64
#define LEARN_PICTURES 4
#define DISTRUST_PICTURES 500
/* Full packets are of one size but for headers. */
#define FULL_SLACK 8
/* While no split slice was seen, only pieces that are shorter than any path's packets are surely whole. */
#define SURELY_WHOLE 500
/* Two fields may share a time stamp; more pictures than that mean that the stamps stand still. */
#define MOST_PICTURES 2
#define MOST_BYTES (32u << 20)
#define USUAL_BYTES (512u << 10)

void itsi_assembler_init(struct itsi_assembler *a, bool hevc)
{
    memset(a, 0, sizeof *a);
    a->hevc = hevc;
    itsi_buf_init(&a->now);
    itsi_buf_init(&a->ready);
    /* room for most key frames from the start, so that running cameras do not allocate; pages never written cost none */
    (void)itsi_buf_reserve(&a->now, USUAL_BYTES);
    (void)itsi_buf_reserve(&a->ready, USUAL_BYTES);
    itsi_buf_reset(&a->now);
    itsi_buf_reset(&a->ready);
}

void itsi_assembler_fini(struct itsi_assembler *a)
{
    itsi_buf_fini(&a->now);
    itsi_buf_fini(&a->ready);
}

static bool starts_nal(const struct itsi_piece *p) { return p->size > 4 && !memcmp(p->data, "\0\0\0\1", 4); }

static bool is_slice(const struct itsi_assembler *a, uint8_t header)
{
    int type = a->hevc ? header >> 1 & 63 : header & 31;
    return a->hevc ? type < 32 : type >= 1 && type <= 5;
}

/* nal: without its start code. */
static bool is_first_slice(const struct itsi_assembler *a, const uint8_t *nal, int64_t left)
{
    /* first_mb_in_slice is an Exp-Golomb 0, that is a 1 bit; first_slice_segment_in_pic_flag is a bit */
    return a->hevc ? left > 2 && (nal[2] & 0x80) : left > 1 && (nal[1] & 0x80);
}

/* Does this piece begin an access unit, by its first NAL unit? */
static bool begins_picture(const struct itsi_assembler *a, const struct itsi_piece *p)
{
    if (!starts_nal(p))
        return false;
    const uint8_t *nal = p->data + 4;
    int type = a->hevc ? nal[0] >> 1 & 63 : nal[0] & 31;
    if (is_slice(a, nal[0]))
        return is_first_slice(a, nal, p->size - 4);
    return a->hevc ? (type >= 32 && type <= 35) || type == 39 : type >= 6 && type <= 9;
}

/* Pictures that decoding may begin at: IDR; in HEVC all random access points; in H.264 a recovery point too. */
static bool is_key(const struct itsi_assembler *a, const uint8_t *nal, int64_t left)
{
    int type = a->hevc ? nal[0] >> 1 & 63 : nal[0] & 31;
    if (a->hevc)
        return type >= 16 && type <= 23;
    return type == 5 || (type == 6 && left > 1 && nal[1] == 6);
}

static void look_at_nals(struct itsi_assembler *a, const struct itsi_piece *p)
{
    const uint8_t *end = p->data + p->size;
    for (const uint8_t *at = p->data; end - at > 3; at++) {
        at = memchr(at, 1, (size_t)(end - at));
        if (!at || end - at < 2)
            return;
        if (at - p->data < 2 || at[-1] || at[-2])
            continue;
        if (is_slice(a, at[1])) {
            a->slices++;
            a->pictures += is_first_slice(a, at + 1, end - at - 1);
        }
        a->key |= is_key(a, at + 1, end - at - 1);
    }
}

/* Payload of the RTP packet that the piece came in. */
static int payload_size(const struct itsi_assembler *a, const struct itsi_piece *p)
{
    int continued = a->hevc ? 3 : 2;
    return starts_nal(p) ? p->size - 3 : p->size + continued;
}

static bool ends_nal(const struct itsi_assembler *a, const struct itsi_piece *p)
{
    int payload = payload_size(a, p);
    return a->longest ? payload < a->longest - FULL_SLACK : payload < SURELY_WHOLE;
}

static void learn(struct itsi_assembler *a)
{
    if (a->slices == a->expected_slices) {
        a->alike++;
    } else {
        a->expected_slices = a->slices;
        a->alike = 1;
    }
    if (a->distrust > 0)
        a->distrust--;
}

/* Hands out what was collected. */
static int hand_out(struct itsi_assembler *a, struct itsi_assembled *out)
{
    static const uint8_t zeros[PADDING];
    learn(a);
    *out = (struct itsi_assembled){.size = (int)a->now.len, .pts = a->pts, .arrival = a->arrival, .wall = a->wall,
                                   .key = a->key};
    itsi_buf_add(&a->now, zeros, sizeof zeros);
    bool failed = a->now.failed;
    struct itsi_buf swap = a->ready;
    a->ready = a->now;
    a->now = swap;
    itsi_buf_reset(&a->now);
    a->collecting = a->whole = false;
    out->data = (const uint8_t *)a->ready.data;
    return failed ? ITS_ENOMEM : 1;
}

static void add(struct itsi_assembler *a, const struct itsi_piece *p)
{
    if (!a->collecting) {
        a->collecting = true;
        a->ended = a->key = false;
        a->slices = a->pictures = 0;
        a->pts = p->pts;
        a->wall = p->wall;
    }
    itsi_buf_add(&a->now, p->data, (size_t)p->size);
    a->arrival = p->arrival;
    if (starts_nal(p))
        look_at_nals(a, p);
    else if (payload_size(a, p) > a->longest)
        a->longest = payload_size(a, p);
    a->whole = !a->distrust && a->alike >= LEARN_PICTURES && a->slices == a->expected_slices && ends_nal(a, p);
}

/* A piece of a picture that was handed out as whole: the end of a slice means that the prediction was wrong, what may
 * follow the slices (padding, messages) does not matter. */
static void straggler(struct itsi_assembler *a, const struct itsi_piece *p)
{
    int before = a->slices;
    if (starts_nal(p))
        look_at_nals(a, p);
    if (!starts_nal(p) || a->slices != before) {
        a->mispredicted++;
        a->alike = 0;
        a->distrust = DISTRUST_PICTURES;
    }
}

int itsi_assembler_feed(struct itsi_assembler *a, const struct itsi_piece *p, struct itsi_assembled *out)
{
    bool by_slices = a->no_stamps && begins_picture(a, p) && (a->slices > 0 || a->ended);
    bool other = p->pts != a->pts || by_slices;
    if (a->ended && !other) {
        straggler(a, p);
        return 0;
    }
    int rc = a->collecting && other ? hand_out(a, out) : 0;
    if (a->now.len > MOST_BYTES) { /* garbage without end */
        itsi_buf_reset(&a->now);
        a->collecting = false;
    }
    add(a, p);
    if (a->pictures > MOST_PICTURES)
        a->no_stamps = true;
    return rc ? rc : itsi_assembler_poll(a, out);
}

int itsi_assembler_poll(struct itsi_assembler *a, struct itsi_assembled *out)
{
    if (!a->collecting || !a->whole)
        return 0;
    int rc = hand_out(a, out);
    a->ended = true;
    return rc;
}
