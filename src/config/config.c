#include "config/config.h"

#include "base/diag.h"
#include "config/value.h"

#include <string.h>

int its_cfg_init(struct its_cfg *cfg, struct its_diag *diag)
{
    struct its_cfg fresh;
    memset(&fresh, 0, sizeof fresh);
    for (size_t i = 0; i < itsi_option_count; i++) {
        int rc = itsi_option_set_default(&fresh, &itsi_options[i]);
        if (rc != 0) {
            its_cfg_fini(&fresh);
            return itsi_fail(diag, rc, "default of %s: %s", itsi_options[i].full_key, its_strerror(rc));
        }
    }
    *cfg = fresh;
    return 0;
}

int its_cfg_copy(struct its_cfg *out, const struct its_cfg *from, struct its_diag *diag)
{
    struct its_cfg copy;
    memset(&copy, 0, sizeof copy);
    for (size_t i = 0; i < itsi_option_count; i++) {
        if (itsi_option_copy(&copy, from, &itsi_options[i]) != 0) {
            its_cfg_fini(&copy);
            return itsi_fail(diag, ITS_ENOMEM, "out of memory");
        }
    }
    *out = copy;
    return 0;
}

void its_cfg_fini(struct its_cfg *cfg)
{
    for (size_t i = 0; i < itsi_option_count; i++)
        itsi_option_clear(cfg, &itsi_options[i]);
}
