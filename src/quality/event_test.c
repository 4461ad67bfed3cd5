#include "support/check.h"

#include "quality/event.h"
#include "quality/profile.h"

static const struct itsi_quality_event lowered = {
    .key = 7,
    .knob = ITSI_KNOB_COMPUTE,
    .from_level = ITSI_QUALITY_HIGH,
    .to_level = ITSI_QUALITY_LOW,
    .from_rung = 1,
    .to_rung = 3,
    .reason = ITSI_QUALITY_SLACK,
    .inputs = {.slack_ms = -4.25, .queue_age_ms = 61, .on_time_ratio = 0.875, .busy = 1, .unmet = 0.5,
               .utilisation = 1.93},
};

static void says_what_and_why(void **state)
{
    (void)state;
    char text[400];
    itsi_quality_event_text(&lowered, text, sizeof text);
    assert_string_equal(text, "compute high -> low (rung 1 -> 3): frames finish too close to their deadline; slack "
                              "-4.25 ms, oldest waiting 61 ms, on time 87.5 %, busy 100 %, unmet 50 %, demand 193 %");
    struct itsi_quality_event pinned = lowered;
    pinned.reason = ITSI_QUALITY_PINNED;
    pinned.inputs = (struct itsi_quality_inputs){.slack_ms = NAN, .queue_age_ms = -1, .on_time_ratio = -1, .busy = -1,
                                                 .unmet = 0, .utilisation = 0.2};
    itsi_quality_event_text(&pinned, text, sizeof text);
    assert_string_equal(text, "compute high -> low (rung 1 -> 3): an operator fixed its level; unmet 0 %, demand 20 %");
    pinned.reason = ITSI_QUALITY_SUB_STREAM;
    pinned.knob = ITSI_KNOB_DECODE;
    pinned.to_level = pinned.from_level;
    pinned.to_rung = pinned.from_rung;
    itsi_quality_event_text(&pinned, text, sizeof text);
    assert_string_equal(text, "decode stays high (rung 1): its smaller stream cannot be had, the full one is read on; unmet "
                              "0 %, demand 20 %");
    pinned.reason = ITSI_QUALITY_RARE_KEYS;
    pinned.from_decode = ITSI_DECODE_KEY;
    pinned.from_sub = pinned.to_sub = true;
    pinned.key_fps = 0.25;
    itsi_quality_event_text(&pinned, text, sizeof text);
    assert_string_equal(text, "decode stays high (rung 1), key frames of the smaller stream -> all frames of the smaller "
                              "stream: its key frames come too rarely to live on them alone; unmet 0 %, demand 20 %, key "
                              "frames 0.25 /s");
    itsi_quality_event_text(&lowered, text, 8); /* cut, not overrun */
    assert_string_equal(text, "compute");
}

static void names_every_reason(void **state)
{
    (void)state;
    for (int r = 0; r < ITSI_QUALITY_REASONS; r++)
        for (int other = 0; other < r; other++)
            assert_string_not_equal(itsi_quality_reason_name((enum itsi_quality_reason)r),
                                    itsi_quality_reason_name((enum itsi_quality_reason)other));
    assert_string_equal(itsi_quality_reason_name(ITSI_QUALITY_RELAPSE), "relapse");
}

static void counts_what_finds_no_room(void **state)
{
    (void)state;
    struct itsi_quality_event items[2];
    struct itsi_quality_events events = {.items = items, .capacity = 2}, none = {.items = NULL};
    for (int i = 0; i < 5; i++) {
        itsi_quality_events_add(&events, &lowered);
        itsi_quality_events_add(&none, &lowered);
    }
    assert_int_equal(events.count, 2);
    assert_int_equal(events.suppressed, 3);
    assert_int_equal(none.suppressed, 5);
    assert_int_equal(items[1].key, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_and_why),
        cmocka_unit_test(names_every_reason),
        cmocka_unit_test(counts_what_finds_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
