/* ONNX is a protobuf message. This reads the few fields we need by their numbers in onnx.proto3 and skips the rest,
 * weights included, without copying. Every length is checked against the enclosing message. */
#include "infer/model_impl.h"

#include "base/diag.h"

#include <stdio.h>
#include <string.h>

/* Field numbers of onnx.proto3. */
enum { MODEL_GRAPH = 7, MODEL_METADATA = 14 };
enum { ENTRY_KEY = 1, ENTRY_VALUE = 2 };
enum { GRAPH_NODE = 1, GRAPH_INITIALIZER = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };
enum { NODE_OP_TYPE = 4 };
enum { TENSOR_NAME = 8 };
enum { VALUE_NAME = 1, VALUE_TYPE = 2 };
enum { TYPE_TENSOR = 1 };
enum { TENSOR_TYPE_ELEM = 1, TENSOR_TYPE_SHAPE = 2 };
enum { SHAPE_DIM = 1 };
enum { DIM_VALUE = 1 };

/* A model lists at most its weights as inputs; beyond that it is an attack on our patience. */
#define MAX_GRAPH_INPUTS 1024

struct reader {
    const uint8_t *start; /* of the file, for messages */
    const uint8_t *at, *end;
};

struct field {
    uint32_t number;
    bool is_bytes;
    uint64_t value;    /* varint */
    struct reader sub; /* bytes */
};

static bool read_varint(struct reader *r, uint64_t *out)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && r->at < r->end; shift += 7) {
        uint8_t byte = *r->at++;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80)) {
            *out = value;
            return true;
        }
    }
    return false;
}

/* 1: a field; 0: the end; -1: damaged. */
static int next_field(struct reader *r, struct field *f)
{
    if (r->at == r->end)
        return 0;
    uint64_t key, len;
    if (!read_varint(r, &key) || key >> 3 == 0 || key >> 3 > 0x1FFFFFFF)
        return -1;
    *f = (struct field){.number = (uint32_t)(key >> 3)};
    switch (key & 7) {
    case 0:
        return read_varint(r, &f->value) ? 1 : -1;
    case 1:
        len = 8;
        break;
    case 5:
        len = 4;
        break;
    case 2:
        if (!read_varint(r, &len))
            return -1;
        f->is_bytes = true;
        break;
    default: /* groups: ONNX has none */
        return -1;
    }
    if (len > (uint64_t)(r->end - r->at))
        return -1;
    f->sub = (struct reader){r->start, r->at, r->at + len};
    r->at += len;
    return 1;
}

static struct itsi_span span_of(const struct field *f)
{
    return (struct itsi_span){(const char *)f->sub.at, (size_t)(f->sub.end - f->sub.at)};
}

static int damaged(const struct reader *r, const char *what, struct its_diag *diag)
{
    return itsi_fail(diag, ITS_EFORMAT, "not a valid ONNX file: damaged or truncated %s at byte %llu", what,
                     (unsigned long long)(r->at - r->start));
}

/* TensorProto.DataType */
static const char *element_type(uint64_t type)
{
    static const char *const names[] = {"", "f32", "u8", "i8", "u16", "i16", "i32", "i64", "string", "bool", "f16",
                                        "f64", "u32", "u64", "complex64", "complex128", "bf16"};
    return type < sizeof names / sizeof names[0] ? names[type] : "unknown";
}

static int read_dim(struct reader r, int64_t *out, struct its_diag *diag)
{
    struct field f;
    int rc;
    *out = -1; /* no value, or a name (dim_param): dynamic */
    while ((rc = next_field(&r, &f)) > 0)
        if (f.number == DIM_VALUE && !f.is_bytes)
            *out = f.value > 0 && f.value <= INT64_MAX ? (int64_t)f.value : -1;
    return rc < 0 ? damaged(&r, "dimension", diag) : 0;
}

static int read_shape(struct reader r, struct itsi_port *port, struct its_diag *diag)
{
    struct field f;
    int rc;
    port->rank = 0;
    while ((rc = next_field(&r, &f)) > 0) {
        if (f.number != SHAPE_DIM || !f.is_bytes)
            continue;
        int64_t dim;
        int failed = read_dim(f.sub, &dim, diag);
        if (failed)
            return failed;
        if (port->rank < ITSI_MODEL_RANK)
            port->dims[port->rank] = dim;
        port->rank++;
        if (port->rank > 1000)
            return damaged(&r, "shape", diag);
    }
    return rc < 0 ? damaged(&r, "shape", diag) : 0;
}

static int read_tensor_type(struct reader r, struct itsi_port *port, struct its_diag *diag)
{
    struct field f;
    int rc;
    while ((rc = next_field(&r, &f)) > 0) {
        if (f.number == TENSOR_TYPE_ELEM && !f.is_bytes)
            snprintf(port->type, sizeof port->type, "%s", element_type(f.value));
        int failed = f.number == TENSOR_TYPE_SHAPE && f.is_bytes ? read_shape(f.sub, port, diag) : 0;
        if (failed)
            return failed;
    }
    return rc < 0 ? damaged(&r, "tensor type", diag) : 0;
}

/* A ValueInfoProto: name and type of an input or output. */
static int read_port(struct reader r, struct itsi_port *port, struct its_diag *diag)
{
    struct field f;
    int rc, failed = 0;
    *port = (struct itsi_port){.rank = -1};
    while ((rc = next_field(&r, &f)) > 0) {
        if (f.number == VALUE_NAME && f.is_bytes)
            itsi_span_copy(span_of(&f), port->name, sizeof port->name);
        if (f.number != VALUE_TYPE || !f.is_bytes)
            continue;
        struct reader type = f.sub;
        int inner;
        while ((inner = next_field(&type, &f)) > 0)
            if (f.number == TYPE_TENSOR && f.is_bytes && (failed = read_tensor_type(f.sub, port, diag)) != 0)
                return failed;
        if (inner < 0)
            return damaged(&type, "type", diag);
    }
    return rc < 0 ? damaged(&r, "input or output", diag) : 0;
}

/* The first bytes field of that number inside a message; empty when there is none. */
static struct itsi_span member(struct reader r, uint32_t number)
{
    struct field f;
    while (next_field(&r, &f) > 0)
        if (f.number == number && f.is_bytes)
            return span_of(&f);
    return (struct itsi_span){"", 0};
}

/* Old exporters list the weights among the inputs too. */
static bool is_initializer(struct reader graph, struct itsi_span name)
{
    struct field f;
    while (next_field(&graph, &f) > 0) {
        if (f.number != GRAPH_INITIALIZER || !f.is_bytes)
            continue;
        struct itsi_span other = member(f.sub, TENSOR_NAME);
        if (other.len == name.len && memcmp(other.data, name.data, name.len) == 0)
            return true;
    }
    return false;
}

static bool is_quantizer(struct itsi_span op)
{
    static const char *const ops[] = {"QuantizeLinear", "DequantizeLinear", "FakeQuantize", "DynamicQuantizeLinear",
                                      "QLinearConv", "ConvInteger"};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (itsi_span_is(op, ops[i]))
            return true;
    return false;
}

static int read_graph(struct itsi_model_facts *facts, struct reader graph, struct its_diag *diag)
{
    struct reader r = graph;
    struct field f;
    int rc, failed, listed = 0;
    while ((rc = next_field(&r, &f)) > 0) {
        if (!f.is_bytes)
            continue;
        if (f.number == GRAPH_NODE && !facts->quantized)
            facts->quantized = is_quantizer(member(f.sub, NODE_OP_TYPE));
        if (f.number != GRAPH_INPUT && f.number != GRAPH_OUTPUT)
            continue;
        if (f.number == GRAPH_INPUT && ++listed > MAX_GRAPH_INPUTS)
            return itsi_fail(diag, ITS_EFORMAT, "not a detection model: more than %d inputs", MAX_GRAPH_INPUTS);
        struct itsi_port port;
        if ((failed = read_port(f.sub, &port, diag)) != 0)
            return failed;
        if (f.number == GRAPH_OUTPUT) {
            if (facts->outputs++ == 0)
                facts->output = port;
        } else if (!is_initializer(graph, member(f.sub, VALUE_NAME))) {
            if (facts->inputs++ == 0)
                facts->input = port;
        }
    }
    return rc < 0 ? damaged(&r, "graph", diag) : 0;
}

int itsi_onnx_read(struct itsi_model_facts *facts, const uint8_t *data, size_t size, struct its_diag *diag)
{
    struct reader r = {data, data, data + size};
    struct field f;
    int rc, failed;
    bool graph = false;
    while ((rc = next_field(&r, &f)) > 0) {
        if (!f.is_bytes)
            continue;
        if (f.number == MODEL_GRAPH) {
            if (graph)
                return itsi_fail(diag, ITS_EFORMAT, "not a valid ONNX file: it holds two graphs");
            graph = true;
            if ((failed = read_graph(facts, f.sub, diag)) != 0)
                return failed;
        } else if (f.number == MODEL_METADATA) {
            failed = itsi_model_metadata(facts, member(f.sub, ENTRY_KEY), member(f.sub, ENTRY_VALUE));
            if (failed)
                return itsi_fail(diag, failed, "no memory for the model's metadata");
        }
    }
    if (rc < 0)
        return damaged(&r, "message", diag);
    if (!graph)
        return itsi_fail(diag, ITS_EFORMAT, "not a valid ONNX file: it holds no graph");
    return 0;
}
