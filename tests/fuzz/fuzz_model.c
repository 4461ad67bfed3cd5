/* The readers of model files. Input: one letter that chooses the reader (o ONNX, x OpenVINO XML, d names as a
 * dictionary, w as words, y as YAML, l as lines), then the file. */
#include "fuzz.h"

#include "infer/model_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fuzz_model: %s\n", what);
        abort();
    }
}

static void check_names(const struct itsi_names *names)
{
    must(names->count >= 0 && names->count <= ITSI_MAX_CLASSES, "more classes than allowed");
    for (int i = 0; i < names->count; i++)
        for (const char *c = names->items[i]; c && *c; c++)
            must((unsigned char)*c >= 0x20, "a control character in a name");
}

static void read_model(char kind, const uint8_t *data, size_t size)
{
    struct itsi_model_facts facts = {.input.rank = -1, .output.rank = -1};
    struct its_diag diag = {""};
    int rc = kind == 'o' ? itsi_onnx_read(&facts, data, size, &diag)
                         : itsi_ir_read(&facts, (const char *)data, size, &diag);
    if (rc == 0 && (rc = itsi_model_check(&facts, &diag)) == 0) {
        must(facts.input.rank == 4 && facts.output.rank == 3, "a model without its ports passed");
        must(facts.output.dims[1] <= 4 + ITSI_MAX_CLASSES, "too many classes passed");
    }
    must(rc == 0 || (rc == ITS_EFORMAT && diag.text[0]), "refused without a reason");
    must(memchr(diag.text, 0, sizeof diag.text) != NULL, "an open-ended diagnosis");
    check_names(&facts.names);
    itsi_names_fini(&facts.names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct itsi_span text = {(const char *)data + 1, size - 1};
    struct itsi_names names = {0};
    int rc = 0;
    switch (data[0]) {
    case 'o':
    case 'x':
        read_model((char)data[0], data + 1, size - 1);
        return 0;
    case 'd':
        rc = itsi_names_from_dict(&names, text);
        break;
    case 'w':
        rc = itsi_names_from_words(&names, text);
        break;
    case 'y':
        rc = itsi_names_from_yaml(&names, text);
        break;
    case 'l':
        rc = itsi_names_from_lines(&names, text);
        break;
    default:
        return 0;
    }
    must(rc == 0 ? names.count > 0 : names.count == 0, "names and status disagree");
    check_names(&names);
    itsi_names_fini(&names);
    return 0;
}
