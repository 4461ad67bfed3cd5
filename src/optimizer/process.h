/* What the operating system says of this process. */
#ifndef ITSI_OPTIMIZER_PROCESS_H
#define ITSI_OPTIMIZER_PROCESS_H

double itsi_process_rss_mb(void); /* resident memory, MiB; 0 when unknown */

#endif
