/* What the regression detector knows, as JSON. */
#include "optimizer/documents.h"

#include "base/clock.h"

static const char *stage_of(const struct itsi_move *move)
{
    return move->whole ? "end_to_end" : itsi_stage_name(move->stage);
}

static void put_move(struct itsi_json *json, const struct itsi_move *move)
{
    char since[32], text[256];
    itsi_format_wall(itsi_wall_ns() - (itsi_now_ns() - move->since), since);
    itsi_move_text(move, text, sizeof text);
    itsi_json_object(json, NULL);
    itsi_json_string(json, "stage", stage_of(move));
    itsi_json_string(json, "time", itsi_time_kind_name(move->kind));
    itsi_json_bool(json, "regression", move->regression);
    itsi_json_number(json, "percent", move->percent, 2);
    itsi_json_number(json, "low_percent", move->low_percent, 2);
    itsi_json_number(json, "high_percent", move->high_percent, 2);
    itsi_json_number(json, "confidence", move->confidence, 4);
    itsi_json_number(json, "before_ms", move->before_ms, 3);
    itsi_json_number(json, "now_ms", move->now_ms, 3);
    itsi_json_string(json, "since", since);
    itsi_json_string(json, "summary", text);
    itsi_json_end(json, '}');
}

void itsi_document_regression(struct itsi_json *json, const char *key, struct itsi_pipeline *pipeline)
{
    struct itsi_regression_report report;
    int band;
    itsi_pipeline_regression_report(pipeline, &report, &band);
    itsi_json_object(json, key);
    itsi_json_bool(json, "learning", band < 0 || report.learning);
    itsi_json_int(json, "baseline_batches", report.batches);
    itsi_json_int(json, "load_band", band);
    itsi_json_array(json, "moves");
    for (int i = 0; i < report.count; i++)
        put_move(json, &report.moves[i]);
    itsi_json_end(json, ']');
    itsi_json_string(json, "stage", report.primary >= 0 ? stage_of(&report.moves[report.primary]) : NULL);
    itsi_json_end(json, '}');
}
