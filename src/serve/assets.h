/* The files of web/, embedded. */
#ifndef ITSI_SERVE_ASSETS_H
#define ITSI_SERVE_ASSETS_H

#include <stddef.h>

struct itsi_asset {
    const char *path; /* "/app.js" */
    const unsigned char *data;
    size_t size;
    const char *etag; /* quoted */
};
extern const struct itsi_asset itsi_assets[];
extern const int itsi_asset_count;

/* NULL: no such file. */
const struct itsi_asset *itsi_asset_find(const char *path);
const char *itsi_asset_type(const struct itsi_asset *asset);

#endif
