#include "core/stage.h"

const char *itsi_stage_name(enum itsi_stage stage)
{
    static const char *const names[] = {
#define ITSI_X(name, text, budget) text,
        ITSI_STAGE_MAP(ITSI_X)
#undef ITSI_X
    };
    return names[stage];
}

double itsi_stage_budget_ms(enum itsi_stage stage)
{
    static const double budgets[] = {
#define ITSI_X(name, text, budget) budget,
        ITSI_STAGE_MAP(ITSI_X)
#undef ITSI_X
    };
    return budgets[stage];
}

const char *itsi_origin_name(enum itsi_origin origin)
{
    static const char *const names[] = {"camera", "arrival", "schedule"};
    return names[origin];
}

void itsi_trace_breakdown(const struct itsi_trace *t, struct itsi_breakdown *out)
{
    *out = (struct itsi_breakdown){0};
    out->wait[ITSI_STAGE_CAMERA_CAPTURE] = t->decode_start - t->origin;
    out->service[ITSI_STAGE_CAMERA_CAPTURE] = t->decode_end - t->decode_start;
    out->wait[ITSI_STAGE_PREPROCESSING] = t->pre_start - t->decode_end;
    out->service[ITSI_STAGE_PREPROCESSING] = t->pre_end - t->pre_start;
    out->wait[ITSI_STAGE_ML_INFERENCE] = t->infer_start - t->pre_end;
    out->service[ITSI_STAGE_ML_INFERENCE] = t->infer_end - t->infer_start;
    out->wait[ITSI_STAGE_POSTPROCESSING] = t->post_start - t->infer_end;
    out->service[ITSI_STAGE_POSTPROCESSING] = t->post_end - t->post_start;
    out->unattributed = t->handover - t->post_end;
    out->end_to_end = t->handover - t->origin;
}
