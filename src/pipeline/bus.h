/* The detection bus: results fan out to subscribers, each with a bounded queue of its own that drops its oldest when the
 * reader is slow. Publishing never waits. */
#ifndef ITSI_PIPELINE_BUS_H
#define ITSI_PIPELINE_BUS_H

#include "pipeline/pipeline.h"

#include <pthread.h>

struct itsi_bus {
    pthread_mutex_t mutex;
    struct itsi_subscription *first;
    bool closed;
    uint64_t lost; /* over all subscribers, closed ones too */
};

void itsi_bus_init(struct itsi_bus *bus);
void itsi_bus_fini(struct itsi_bus *bus); /* every subscription must be closed */
/* Borrows the result; each queue takes a reference of its own. */
void itsi_bus_publish(struct itsi_bus *bus, struct itsi_result *result);
/* No more results will come: readers see the end after what is queued. */
void itsi_bus_close(struct itsi_bus *bus);
uint64_t itsi_bus_lost(struct itsi_bus *bus);
ITS_NODISCARD int itsi_bus_subscribe(struct itsi_bus *bus, const char *camera_id, int depth, void (*wake)(void *arg),
                                     void *wake_arg, struct itsi_subscription **out, struct its_diag *diag);

#endif
