#include "cli/cli.h"

#include "config/option.h"
#include "config/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void itsi_print_option_help(void)
{
    const char *section = "";
    for (size_t i = 0; i < itsi_option_count; i++) {
        const struct itsi_option *option = &itsi_options[i];
        if (strcmp(section, option->section) != 0) {
            section = option->section;
            for (size_t s = 0; s < itsi_option_section_count; s++)
                if (strcmp(itsi_option_sections[s].name, section) == 0)
                    printf("\n%s (%s)\n", itsi_option_sections[s].help, section);
        }
        char range[256];
        itsi_option_range(option, range, sizeof range);
        json_t *value = itsi_option_default(option);
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        printf("  --set %s=...\n        %s (%s; default %s)\n", itsi_option_key(option), option->help, range,
               text ? text : "?");
        free(text);
        json_decref(value);
    }
}
