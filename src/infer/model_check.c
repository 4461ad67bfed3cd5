/* Is it the detection model we run? And if not, which other kind it looks like: who exported it wants to know that. */
#include "infer/model_impl.h"

#include "base/diag.h"

#include <stdio.h>
#include <string.h>

/* "[1, 3, ?, 640]" */
static const char *shape_text(const struct itsi_port *port, char out[96])
{
    if (port->rank < 0)
        return "of unknown shape";
    size_t used = (size_t)snprintf(out, 96, "[");
    for (int i = 0; i < port->rank && i < ITSI_MODEL_RANK && used < 80; i++) {
        const char *comma = i ? ", " : "";
        if (port->dims[i] < 0)
            used += (size_t)snprintf(out + used, 96 - used, "%s?", comma);
        else
            used += (size_t)snprintf(out + used, 96 - used, "%s%lld", comma, (long long)port->dims[i]);
    }
    if (used < 90)
        snprintf(out + used, 96 - used, port->rank > ITSI_MODEL_RANK ? ", ...]" : "]");
    return out;
}

static int check_input(const struct itsi_model_facts *facts, struct its_diag *diag)
{
    const struct itsi_port *in = &facts->input;
    char shape[96];
    if (facts->inputs != 1)
        return itsi_fail(diag, ITS_EFORMAT, "not a detection model: it has %d inputs, expected one image [batch, 3, "
                         "height, width]", facts->inputs);
    if (in->rank != 4 || in->dims[1] != 3)
        return itsi_fail(diag, ITS_EFORMAT, "not a detection model: input '%s' is %s, expected [batch, 3, height, width]",
                         in->name, shape_text(in, shape));
    if (in->type[0] && strcmp(in->type, "f32") != 0 && strcmp(in->type, "f16") != 0)
        return itsi_fail(diag, ITS_EFORMAT, "input '%s' holds %s, expected f32 or f16 from 0 to 1", in->name, in->type);
    for (int i = 2; i < 4; i++)
        if (in->dims[i] != -1 && (in->dims[i] % ITSI_MODEL_STRIDE != 0 || in->dims[i] > ITSI_MODEL_MAX_SIDE))
            return itsi_fail(diag, ITS_EFORMAT, "input '%s' is %s, expected height and width to be multiples of %d up to "
                             "%d", in->name, shape_text(in, shape), ITSI_MODEL_STRIDE, ITSI_MODEL_MAX_SIDE);
    return 0;
}

/* Cells of the three grids at strides 8, 16 and 32. */
static int64_t anchors_for(int64_t width, int64_t height)
{
    return (width / 8) * (height / 8) + (width / 16) * (height / 16) + (width / 32) * (height / 32);
}

/* Why the output is not ours, when its numbers show which other head it is. */
static int check_head(const struct itsi_model_facts *facts, struct its_diag *diag)
{
    const struct itsi_port *out = &facts->output;
    char shape[96];
    if (facts->task[0] && strcmp(facts->task, "detect") != 0)
        return itsi_fail(diag, ITS_EFORMAT, "the model's task is '%s' (output %s), expected 'detect' with output [batch, "
                         "4 + classes, anchors]", facts->task, shape_text(out, shape));
    if (facts->outputs != 1)
        return itsi_fail(diag, ITS_EFORMAT, "not a plain detection model: it has %d outputs (the first is %s; a "
                         "segmentation head?), expected one [batch, 4 + classes, anchors]", facts->outputs,
                         shape_text(out, shape));
    if (facts->end_to_end || (out->rank == 3 && out->dims[2] == 6))
        return itsi_fail(diag, ITS_EFORMAT, "the output is %s: an end-to-end head with NMS inside, expected [batch, "
                         "4 + classes, anchors] (export with nms=False, end2end=False)", shape_text(out, shape));
    if (out->rank != 3)
        return itsi_fail(diag, ITS_EFORMAT, "the output is %s (%s), expected [batch, 4 + classes, anchors]",
                         shape_text(out, shape), out->rank == 2 ? "a classification head?" : "not a YOLOv8/YOLO11 head");
    if (out->dims[1] > out->dims[2] && out->dims[2] > 0)
        return itsi_fail(diag, ITS_EFORMAT, "the output is %s, expected [batch, 4 + classes, anchors]: rows and anchors "
                         "are swapped (a YOLOv5 head?)", shape_text(out, shape));
    if (out->type[0] && strcmp(out->type, "f32") != 0 && strcmp(out->type, "f16") != 0)
        return itsi_fail(diag, ITS_EFORMAT, "the output holds %s, expected f32 or f16", out->type);
    return 0;
}

int itsi_model_check(const struct itsi_model_facts *facts, struct its_diag *diag)
{
    int rc = check_input(facts, diag);
    if (rc == 0)
        rc = check_head(facts, diag);
    if (rc != 0)
        return rc;
    const struct itsi_port *in = &facts->input, *out = &facts->output;
    int64_t rows = out->dims[1];
    char shape[96];
    if (rows == -1 && facts->names.count == 0)
        return itsi_fail(diag, ITS_EFORMAT, "the output is %s and the metadata name no classes: their number is unknown",
                         shape_text(out, shape));
    if (rows != -1 && (rows < 5 || rows > 4 + ITSI_MAX_CLASSES))
        return itsi_fail(diag, ITS_EFORMAT, "the output is %s, expected [batch, 4 + classes, anchors] with 1 to %d classes",
                         shape_text(out, shape), ITSI_MAX_CLASSES);
    if (rows != -1 && facts->names.count != 0 && facts->names.count != rows - 4)
        return itsi_fail(diag, ITS_EFORMAT, "the output is %s: %lld score rows for the %d classes the metadata name (a "
                         "pose, segmentation or oriented-box head?), expected [batch, 4 + classes, anchors]",
                         shape_text(out, shape), (long long)(rows - 4), facts->names.count);
    if (in->dims[2] > 0 && in->dims[3] > 0 && out->dims[2] > 0 && out->dims[2] != anchors_for(in->dims[3], in->dims[2]))
        return itsi_fail(diag, ITS_EFORMAT, "the output is %s, expected %lld anchors (strides 8, 16, 32) for an input of "
                         "%lldx%lld", shape_text(out, shape), (long long)anchors_for(in->dims[3], in->dims[2]),
                         (long long)in->dims[3], (long long)in->dims[2]);
    return 0;
}
