/* The inside of the public engine, for the daemon and the command line. */
#ifndef ITSI_OPTIMIZER_ENGINE_H
#define ITSI_OPTIMIZER_ENGINE_H

#include "base/clock.h"
#include "config/store.h"
#include "infer/model.h"
#include "its/its.h"
#include "optimizer/documents.h"
#include "optimizer/pools.h"
#include "pipeline/pipeline.h"

/* The model file the configuration comes to: general.model (borrowed from cfg), else the shipped one, written into room;
 * NULL: none. The null backend takes only a model that is named. */
const char *itsi_model_path(const struct its_cfg *cfg, char *room, size_t size);

/* That model opened, with general.labels, or none for the null backend. */
struct itsi_model_choice {
    struct itsi_model model;
    bool has_model;
    const struct itsi_backend *backend; /* NULL: the first that can run the model */
    char shown[256];                    /* file name, or "none (null backend, detects nothing)" */
};
/* ITS_EINVAL when there is no model, unless the backend is null by name. */
ITS_NODISCARD int itsi_model_choose(struct itsi_model_choice *out, const struct its_cfg *cfg, struct its_diag *diag);
void itsi_model_choice_fini(struct itsi_model_choice *choice);

/* As its_engine_create, from a loaded configuration (takes a reference of its own). null_base_ns: what a batch takes with
 * the null backend. */
ITS_NODISCARD int itsi_engine_create(its_engine **out, struct itsi_config *config, int64_t null_base_ns,
                                     struct its_diag *diag);
/* What is left to do once it is stopped takes at most so long: the store's last rows, then the pools' ends. */
#define ITSI_ENGINE_ROWS_NS (3 * ITSI_NS_PER_S)
#define ITSI_ENGINE_POOLS_NS (3 * ITSI_NS_PER_S)
/* Writes, or spools, what the store still holds; its_engine_destroy does it otherwise. For who has something else to end
 * first, that may take long. One thread. */
void itsi_engine_finish_store(its_engine *engine);
struct itsi_pipeline *itsi_engine_pipeline(its_engine *engine);
struct itsi_pools *itsi_engine_pools(its_engine *engine);
/* Borrowed for the engine's life, cfg until the next itsi_engine_configure. */
void itsi_engine_status_source(its_engine *engine, struct itsi_status_source *out);
/* Applies a new configuration's live rows and keeps a reference to it. Cameras it names in `change` (may be NULL) are
 * added, removed or, where changed, replaced; the others are not touched. */
ITS_NODISCARD int itsi_engine_configure(its_engine *engine, struct itsi_config *config,
                                        const struct itsi_config_change *change, struct its_diag *diag);

#endif
