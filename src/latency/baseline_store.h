/* The baselines of a machine, by key, kept across restarts in one small JSON file.
 *
 * A baseline holds for one build, model, configuration, hardware and load band. A new build begins with what the build
 * before it left under the same other four (itsi_baseline_find): that is how a deployment's regression is seen. At most
 * ITSI_BASELINE_KEYS keys are kept; the one not put for longest makes room.
 *
 * The file is versioned, written whole beside itself and renamed, so that a crash leaves the old or the new one. A file
 * that is damaged, of another format or of a version not known here is an error that names it; it is set aside as
 * "<file>.damaged" (replacing an older one) and the store begins empty.
 *
 * Not thread-safe; load and save block on the disk and belong off the frame path. */
#ifndef ITSI_LATENCY_BASELINE_STORE_H
#define ITSI_LATENCY_BASELINE_STORE_H

#include "its/error.h"
#include "latency/baseline.h"

enum { ITSI_BASELINE_KEYS = 128 };

/* Texts beyond their room are cut, which itsi_baseline_key does the same way every time. */
struct itsi_baseline_key {
    char build[64];    /* version and commit, say */
    char model[96];    /* name and precision, or a digest of the file */
    char config[48];   /* hash of the options that change what a frame costs */
    char hardware[96]; /* processor or accelerator, cores */
    int band;          /* itsi_load_band, 0.. */
};
/* NULL texts are empty. */
void itsi_baseline_key(struct itsi_baseline_key *out, const char *build, const char *model, const char *config,
                       const char *hardware, int band);

struct itsi_baseline_store;
ITS_NODISCARD int itsi_baseline_store_create(struct itsi_baseline_store **out, const char *path, struct its_diag *diag);
void itsi_baseline_store_destroy(struct itsi_baseline_store *store); /* takes NULL; does not save */

/* Replaces what the store holds by the file's content. No file: empty, 0. ITS_EFORMAT: see above; ITS_EIO and
 * others: the file could not be read, the store is empty, the file is left alone. */
ITS_NODISCARD int itsi_baseline_store_load(struct itsi_baseline_store *store, struct its_diag *diag);
ITS_NODISCARD int itsi_baseline_store_save(const struct itsi_baseline_store *store, struct its_diag *diag);

enum itsi_baseline_match {
    ITSI_BASELINE_UNKNOWN, /* nothing written to *out */
    ITSI_BASELINE_EXACT,
    ITSI_BASELINE_EARLIER_BUILD /* the newest that differs in the build alone */
};
enum itsi_baseline_match itsi_baseline_find(const struct itsi_baseline_store *store,
                                            const struct itsi_baseline_key *key, struct itsi_baseline_set *out);
/* Keeps the valid baselines of the set under the key (a set without any changes nothing); `wall_ns` says how old it is.
 * A series that the set does not know keeps what the key had. */
void itsi_baseline_put(struct itsi_baseline_store *store, const struct itsi_baseline_key *key,
                       const struct itsi_baseline_set *set, int64_t wall_ns);
int itsi_baseline_store_count(const struct itsi_baseline_store *store);

#endif
