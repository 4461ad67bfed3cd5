#include "serve/assets.h"

#include <string.h>

const struct itsi_asset *itsi_asset_find(const char *path)
{
    if (strcmp(path, "/") == 0)
        path = "/index.html";
    for (int i = 0; i < itsi_asset_count; i++)
        if (strcmp(itsi_assets[i].path, path) == 0)
            return &itsi_assets[i];
    return NULL;
}

const char *itsi_asset_type(const struct itsi_asset *asset)
{
    static const char *const types[][2] = {
        {".html", "text/html; charset=utf-8"}, {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"}, {".svg", "image/svg+xml"}, {".json", "application/json"},
    };
    const char *dot = strrchr(asset->path, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof types[0]; i++)
        if (strcmp(dot, types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}
