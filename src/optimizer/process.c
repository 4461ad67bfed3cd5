#include "optimizer/process.h"

#include <stdio.h>
#include <unistd.h>

double itsi_process_rss_mb(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long size = 0, resident = 0;
    if (file) {
        if (fscanf(file, "%ld %ld", &size, &resident) != 2)
            resident = 0;
        fclose(file);
    }
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / (1024 * 1024);
}
