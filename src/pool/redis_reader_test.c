/* Replies, the meaning of errors, commands as bytes, hash slots. */
#include "support/check.h"

#include "base/mem.h"
#include "pool/redis_command.h"
#include "pool/redis_reader.h"
#include "pool/redis_slot.h"

#include <hiredis/hiredis.h>

#define LIMIT ((size_t)1 << 20)

/* Everything that came, as one text. */
struct seen {
    struct itsi_buf text;
    int count, stop_after;
};

static void show(struct itsi_buf *out, const struct itsi_redis_reply *reply)
{
    switch (reply->type) {
    case ITSI_REDIS_NIL:
        itsi_buf_puts(out, "nil");
        break;
    case ITSI_REDIS_INTEGER:
        itsi_buf_printf(out, "%lld", (long long)reply->integer);
        break;
    case ITSI_REDIS_ARRAY:
        itsi_buf_puts(out, "[");
        for (size_t i = 0; i < reply->count; i++) {
            itsi_buf_puts(out, i ? "," : "");
            show(out, &reply->elements[i]);
        }
        itsi_buf_puts(out, "]");
        break;
    case ITSI_REDIS_STATUS:
    case ITSI_REDIS_ERROR:
    case ITSI_REDIS_STRING:
        itsi_buf_puts(out, reply->type == ITSI_REDIS_ERROR ? "!" : reply->type == ITSI_REDIS_STATUS ? "+" : "'");
        itsi_buf_add(out, reply->text, reply->len);
        assert_int_equal(reply->text[reply->len], 0);
    }
}

static bool take(void *self, const struct itsi_redis_reply *reply)
{
    struct seen *seen = self;
    show(&seen->text, reply);
    itsi_buf_puts(&seen->text, ";");
    return ++seen->count != seen->stop_after;
}

static int feed(struct itsi_redis_reader *reader, struct seen *seen, const char *text, struct its_diag *diag)
{
    return itsi_redis_reader_feed(reader, text, strlen(text), take, seen, diag);
}

static void reads_every_type_however_it_is_cut(void **state)
{
    (void)state;
    static const char wire[] = "+OK\r\n:42\r\n$-1\r\n$0\r\n\r\n-ERR no\r\n*3\r\n$1\r\na\r\n*2\r\n:1\r\n$-1\r\n*0\r\n*-1\r\n$3\r\nx\r\n\r\n";
    struct its_diag diag;
    for (size_t step = 1; step < sizeof wire; step++) {
        struct itsi_redis_reader *reader;
        struct seen seen = {{0}, 0, 0};
        CHECK_OK(itsi_redis_reader_create(&reader, LIMIT, &diag), diag);
        for (size_t at = 0; at < sizeof wire - 1; at += step) {
            size_t len = sizeof wire - 1 - at < step ? sizeof wire - 1 - at : step;
            CHECK_OK(itsi_redis_reader_feed(reader, wire + at, len, take, &seen, &diag), diag);
        }
        assert_string_equal(seen.text.data, "+OK;42;nil;';!ERR no;['a,[1,nil],[]];nil;'x\r\n;");
        itsi_buf_fini(&seen.text);
        itsi_redis_reader_destroy(reader);
    }
}

static void stops_when_told(void **state)
{
    (void)state;
    struct itsi_redis_reader *reader;
    struct its_diag diag;
    struct seen seen = {{0}, 0, 2};
    CHECK_OK(itsi_redis_reader_create(&reader, LIMIT, &diag), diag);
    assert_int_equal(feed(reader, &seen, ":1\r\n:2\r\n:3\r\n", &diag), ITS_ECANCELLED);
    assert_int_equal(seen.count, 2);
    itsi_buf_fini(&seen.text);
    itsi_redis_reader_destroy(reader);
}

static void refuses_hostile_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *wire;
        int rc;
    } cases[] = {
        {"GET / HTTP/1.1\r\n", ITS_EFORMAT},
        {"$-2\r\n", ITS_EFORMAT},
        {"$99999999999999999999\r\n", ITS_EFORMAT},
        {":12x\r\n", ITS_EFORMAT},
        {"*2147483648\r\n", ITS_EFORMAT},
        {"*1000000\r\n", ITS_ELIMIT},                    /* claims 48 MB */
        {"*10000\r\n*10000\r\n*10000\r\n", ITS_ELIMIT},  /* each of them allowed */
        {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", ITS_EFORMAT},
        {"$1111111111111111111111111111111111111", ITS_EFORMAT}, /* a number without end */
    };
    struct its_diag diag;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct itsi_redis_reader *reader;
        struct seen seen = {{0}, 0, 0};
        CHECK_OK(itsi_redis_reader_create(&reader, LIMIT, &diag), diag);
        int rc = feed(reader, &seen, cases[i].wire, &diag);
        if (rc != cases[i].rc)
            fail_msg("case %zu: %d, wanted %d", i, rc, cases[i].rc);
        itsi_redis_reader_destroy(reader);
    }
}

/* A status line or a string that never ends is cut off by bytes, and its search costs no square of them. */
static void bounds_what_never_ends(void **state)
{
    (void)state;
    static const char *const starts[] = {"+", "-", "$1000000000\r\n", "*1\r\n$1000000000\r\n", "$5\r"};
    static char filler[65536];
    memset(filler, 'x', sizeof filler);
    struct its_diag diag;
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        struct itsi_redis_reader *reader;
        struct seen seen = {{0}, 0, 0};
        CHECK_OK(itsi_redis_reader_create(&reader, LIMIT, &diag), diag);
        int rc = feed(reader, &seen, starts[i], &diag);
        size_t fed = 0;
        for (; !rc && fed < 4 * LIMIT; fed += sizeof filler)
            rc = itsi_redis_reader_feed(reader, filler, sizeof filler, take, &seen, &diag);
        assert_true(rc == ITS_ELIMIT || rc == ITS_EFORMAT);
        assert_true(fed <= LIMIT + sizeof filler);
        itsi_redis_reader_destroy(reader);
    }
}

static void allocates_nothing_in_steady_state(void **state)
{
    (void)state;
    struct itsi_redis_reader *reader;
    struct its_diag diag;
    struct seen seen = {{0}, 0, 0};
    CHECK_OK(itsi_redis_reader_create(&reader, LIMIT, &diag), diag);
    itsi_buf_reserve(&seen.text, 65536);
    uint64_t before = itsi_alloc_count();
    for (int i = 0; i < 1000; i++)
        CHECK_OK(feed(reader, &seen, "*2\r\n$5\r\nhello\r\n:7\r\n+OK\r\n", &diag), diag);
    assert_int_equal(itsi_alloc_count(), before);
    assert_int_equal(seen.count, 2000);
    itsi_buf_fini(&seen.text);
    itsi_redis_reader_destroy(reader);
}

static void survives_failing_allocations(void **state)
{
    (void)state;
    for (int64_t nth = 1; nth < 5; nth++) {
        struct itsi_redis_reader *reader = NULL;
        itsi_alloc_fail_at(nth);
        int rc = itsi_redis_reader_create(&reader, LIMIT, NULL);
        itsi_alloc_fail_at(0);
        assert_true(rc == 0 || rc == ITS_ENOMEM);
        itsi_redis_reader_destroy(rc ? NULL : reader);
    }
}

static struct itsi_redis_reply error_of(const char *text)
{
    return (struct itsi_redis_reply){.type = ITSI_REDIS_ERROR, .text = text, .len = strlen(text)};
}

static void tells_errors_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum itsi_redis_problem problem;
    } cases[] = {
        {"LOADING Redis is loading the dataset in memory", ITSI_REDIS_LOADING},
        {"READONLY You can't write against a read only replica.", ITSI_REDIS_READONLY},
        {"MOVED 1 127.0.0.1:7001", ITSI_REDIS_MOVED},
        {"ASK 1 127.0.0.1:7001", ITSI_REDIS_ASK},
        {"ASKED and answered", ITSI_REDIS_REFUSED},
        {"CLUSTERDOWN The cluster is down", ITSI_REDIS_CLUSTERDOWN},
        {"TRYAGAIN Multiple keys", ITSI_REDIS_TRYAGAIN},
        {"WRONGPASS invalid username-password pair", ITSI_REDIS_AUTH},
        {"NOPERM this user has no permissions", ITSI_REDIS_AUTH},
        {"ERR max number of clients reached", ITSI_REDIS_FULL},
        {"OOM command not allowed", ITSI_REDIS_MEMORY},
        {"ERR syntax error", ITSI_REDIS_REFUSED},
        {"WRONGTYPE Operation against a key", ITSI_REDIS_REFUSED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct itsi_redis_reply reply = error_of(cases[i].text);
        assert_int_equal(itsi_redis_problem_of(&reply), cases[i].problem);
        reply.type = ITSI_REDIS_STRING; /* a value that reads like an error is none */
        assert_int_equal(itsi_redis_problem_of(&reply), ITSI_REDIS_FINE);
    }
}

static void reads_where_to_go(void **state)
{
    (void)state;
    struct itsi_redis_host host;
    int slot;
    struct itsi_redis_reply reply = error_of("MOVED 3999 127.0.0.1:6381");
    assert_int_equal(itsi_redis_redirect(&reply, &slot, &host), 0);
    assert_int_equal(slot, 3999);
    assert_string_equal(host.name, "127.0.0.1");
    assert_int_equal(host.port, 6381);
    reply = error_of("ASK 1 2001:db8::1:7000");
    assert_int_equal(itsi_redis_redirect(&reply, &slot, &host), 0);
    assert_string_equal(host.name, "2001:db8::1");
    reply = error_of("MOVED 1 :7000");
    assert_int_equal(itsi_redis_redirect(&reply, &slot, &host), 0);
    assert_string_equal(host.name, "");
    static const char *const bad[] = {"MOVED",       "MOVED x 1:1",      "MOVED 16384 h:1", "MOVED 1 h",
                                      "MOVED 1 h:0", "MOVED 1 h:99999999", "MOVED 1 h:1x",    "ERR MOVED 1 h:1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        reply = error_of(bad[i]);
        assert_int_equal(itsi_redis_redirect(&reply, &slot, &host), ITS_EFORMAT);
    }
}

/* hiredis's own formatter is the reference. */
static void writes_commands_as_hiredis_does(void **state)
{
    (void)state;
    static const char *const argv[] = {"SET", "a key\r\n", "", "\0\xff bin"};
    static const size_t lens[] = {3, 7, 0, 6};
    char *wanted;
    long long len = redisFormatCommandArgv(&wanted, 4, (const char **)(uintptr_t)argv, lens);
    struct itsi_buf out = {0};
    itsi_redis_command_add(&out, 4, argv, lens);
    assert_int_equal(out.len, len);
    assert_memory_equal(out.data, wanted, (size_t)len);
    redisFreeCommand(wanted);
    itsi_buf_reset(&out);
    itsi_redis_words(&out, "GET", "k");
    assert_string_equal(out.data, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
    itsi_buf_fini(&out);
}

/* Values of CLUSTER KEYSLOT. */
static void hashes_keys_to_slots(void **state)
{
    (void)state;
    assert_int_equal(itsi_redis_slot("123456789", 9), 0x31c3);
    assert_int_equal(itsi_redis_slot("", 0), 0);
    assert_int_equal(itsi_redis_slot("foo", 3), 12182);
    assert_int_equal(itsi_redis_slot("{foo}.bar", 9), 12182);
    assert_int_equal(itsi_redis_slot("x{foo}{bar}", 11), 12182);
    assert_int_not_equal(itsi_redis_slot("foo{}", 5), itsi_redis_slot("", 0));
    assert_int_equal(itsi_redis_slot("{foo", 4), itsi_redis_slot("{foo", 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_type_however_it_is_cut),
        cmocka_unit_test(stops_when_told),
        cmocka_unit_test(refuses_hostile_bytes),
        cmocka_unit_test(bounds_what_never_ends),
        cmocka_unit_test(allocates_nothing_in_steady_state),
        cmocka_unit_test(survives_failing_allocations),
        cmocka_unit_test(tells_errors_apart),
        cmocka_unit_test(reads_where_to_go),
        cmocka_unit_test(writes_commands_as_hiredis_does),
        cmocka_unit_test(hashes_keys_to_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
