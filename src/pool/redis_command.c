#include "pool/redis_command.h"

#include <string.h>

/* "$12\r\n": a letter and a number, without printf's cost. */
static void add_count(struct itsi_buf *out, char letter, size_t count)
{
    char text[24];
    size_t at = sizeof text;
    text[--at] = '\n';
    text[--at] = '\r';
    do {
        text[--at] = (char)('0' + count % 10);
        count /= 10;
    } while (count);
    text[--at] = letter;
    itsi_buf_add(out, text + at, sizeof text - at);
}

void itsi_redis_command_add(struct itsi_buf *out, int argc, const char *const *argv, const size_t *lens)
{
    add_count(out, '*', (size_t)argc);
    for (int i = 0; i < argc; i++) {
        size_t len = lens ? lens[i] : strlen(argv[i]);
        add_count(out, '$', len);
        itsi_buf_add(out, argv[i], len);
        itsi_buf_add(out, "\r\n", 2);
    }
}
